// A program that uses the TypeScript client as its documentation says.
import { randomUUID } from 'node:crypto';
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { serve } from './lines.mjs';

const [name, resource, redirectUri] = process.argv.slice(2);
const kept = {};

const provider = {
  redirectUrl: redirectUri,
  clientMetadata: {
    client_name: name,
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'none',
  },
  state: () => (kept.state = randomUUID()),
  clientInformation: () => kept.information,
  saveClientInformation: (information) => { kept.information = information; },
  tokens: () => kept.tokens,
  saveTokens: (tokens) => { kept.tokens = tokens; },
  redirectToAuthorization: (url) => { kept.authorize = url.href; },
  saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
  codeVerifier: () => kept.verifier,
  saveDiscoveryState: (state) => { kept.discovery = state; },
  discoveryState: () => kept.discovery,
  invalidateCredentials: (what) => {
    if (what === 'all' || what === 'client') delete kept.information;
    if (what === 'all' || what === 'tokens') delete kept.tokens;
  },
};

async function call() {
  const client = new Client({ name: 'notes-reader', version: '1.0.0' });
  try {
    await client.connect(new StreamableHTTPClientTransport(new URL(resource), { authProvider: provider }));
    const answer = await client.callTool({ name: 'whose_notes', arguments: {} });
    if (answer.isError) throw new Error(answer.content[0].text);
    return { text: answer.content[0].text };
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    return { authorize: kept.authorize };
  } finally {
    await client.close();
  }
}

async function finish({ url }) {
  const brought = new URL(url).searchParams;
  if (brought.get('state') !== kept.state) throw new Error('the state is not the one that was sent');
  const transport = new StreamableHTTPClientTransport(new URL(resource), { authProvider: provider });
  try {
    await transport.finishAuth(brought);
  } finally {
    await transport.close();
  }
  return {};
}

await serve({
  call,
  finish,
  show: () => ({ information: kept.information, tokens: kept.tokens }),
  expire: () => { kept.tokens = { ...kept.tokens, access_token: 'too-old' }; return {}; },
});
