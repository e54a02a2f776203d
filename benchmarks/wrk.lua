-- Sends the bodies of files in turn, and prints the figures as one line of JSON at the end:
-- wrk ... [-H HEADER] -s wrk.lua URL -- CONTENT_TYPE FILE...
local requests, last = {}, 0

function init(args)
   wrk.headers["Content-Type"] = args[1]
   for index = 2, #args do
      local file = assert(io.open(args[index], "rb"))
      local body = file:read("*a")
      file:close()
      requests[#requests + 1] = wrk.format("POST", nil, nil, body)
   end
end

function request()
   last = last % #requests + 1
   return requests[last]
end

function done(summary, latency)
   local errors = summary.errors
   local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
   print(string.format('{"requests": %d, "failed": %d, "seconds": %f, "p50": %f, "p99": %f}',
      summary.requests, failed, summary.duration / 1e6,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
