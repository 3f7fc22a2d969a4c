// How the drivers are told what to do: commands come as lines of JSON on standard input, answers
// leave as lines of JSON on standard output; the program ends with its input.
import { createInterface } from 'node:readline';

function told(error) {
  const facts = [error.name, error.code, error.error, error.message, error.cause?.message];
  return facts.filter(Boolean).join(': ');
}

export async function serve(commands) {
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    let answer;
    try {
      answer = await commands[command.do](command);
    } catch (error) {
      answer = { error: told(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}
