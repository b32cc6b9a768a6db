-- Sends the requests of a file, one after the other, again from its start or, with `once`, until they are used up.
-- A line is: method, path, size of the content (0: none), then fields as `Name: value`; separated by tabs.
-- Prints what it measured as JSON.
local requests, at, mode = {}, 0, "repeat"

local function fields_of(parts)
  local fields = {}
  for index = 4, #parts do
    local name, value = parts[index]:match("^([^:]+): (.*)$")
    fields[name] = value
  end
  return fields
end

local function formatted(line)
  local parts = {}
  for part in line:gmatch("[^\t]+") do parts[#parts + 1] = part end
  local size = tonumber(parts[3])
  return wrk.format(parts[1], parts[2], fields_of(parts), size > 0 and string.rep("x", size) or nil)
end

function init(args)
  mode = args[2] or mode
  for line in io.lines(args[1]) do requests[#requests + 1] = formatted(line) end
end

function request()
  at = at + 1
  if at > #requests then
    if mode == "once" then wrk.thread:stop() end
    at = 1
  end
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"micros":%d,"bytes":%d,"p50":%d,"p99":%d,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
