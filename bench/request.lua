-- Sends the request that the environment describes; %d in the body becomes a running number.
local body, path = os.getenv("BENCH_BODY"), os.getenv("BENCH_PATH")
local headers = { ["Content-Type"] = os.getenv("BENCH_TYPE") }
if os.getenv("BENCH_AUTH") then headers["Authorization"] = os.getenv("BENCH_AUTH") end
local number = os.time() * 100000

function request()
  number = number + 1
  return wrk.format("POST", path, headers, (body:gsub("%%d", string.format("%.0f", number))))
end

function done(summary, _, _)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("RESULT %.1f %d\n", summary.requests / (summary.duration / 1e6), bad))
end
