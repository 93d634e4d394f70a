-- Every request asks another question, or has it embedded: a number that no other has is part of it.
--
--     wrk -s distinct.lua URL -- QUESTIONS PATH SEED

local questions, count, path, seed = {}, 0, nil, 0
local thread_number = 0

function setup(thread)
  thread:set("number", thread_number)
  thread_number = thread_number + 1
end

function init(args)
  for line in io.lines(args[1]) do
    questions[#questions + 1] = line
  end
  path, seed = args[2], tonumber(args[3])
end

function request()
  count = count + 1
  local question = questions[(seed + count * 7919 + number * 104729) % #questions + 1]
  local asked = question .. "+" .. seed .. number .. count
  if path == "/embed" then
    asked = asked:gsub("+", " "):gsub("%%(%x%x)", function(code) return string.char(tonumber(code, 16)) end)
    asked = asked:gsub('["\\]', "\\%0")
    local body = string.format('{"inputs": "%s", "prompt_name": "query"}', asked)
    return wrk.format("POST", path, {["content-type"] = "application/json"}, body)
  end
  return wrk.format("GET", path .. "?limit=5&q=" .. asked)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    "FIGURES %d %d %.0f %.0f %.0f %d %d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(95), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
