-- wrk -s chunks.lua URL -- KEYS SEED
--
-- Asks for random paths out of the lines of KEYS, and prints one JSON object at the end.

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init(arguments)
  requests = {}
  for path in io.lines(arguments[1]) do
    table.insert(requests, wrk.format("GET", path))
  end
  math.randomseed(tonumber(arguments[2]) * 1000 + number)
  found, missing, others = 0, 0, 0
end

function request()
  return requests[math.random(#requests)]
end

function response(status)
  if status == 200 then
    found = found + 1
  elseif status == 404 then
    missing = missing + 1
  else
    others = others + 1
  end
end

function done(summary, latency)
  local found, missing, others = 0, 0, 0
  for _, thread in ipairs(threads) do
    found = found + thread:get("found")
    missing = missing + thread:get("missing")
    others = others + thread:get("others")
  end
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  local line = '{"seconds":%.3f,"bytes":%d,"found":%d,"missing":%d,"others":%d,"broken":%d,' ..
    '"p50_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f}\n'
  io.write(line:format(summary.duration / 1e6, summary.bytes, found, missing, others, broken,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
