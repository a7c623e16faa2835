-- Runs once for each attempt of a request, see repeat.go. An attempt that the inner hop
-- permits to repeat is followed by one with the same number: on a connection of its own, or
-- if its cluster was absent, without the one that the outer role has set.

local function of(handle)
  return handle:streamInfo():dynamicMetadata()
end

-- The number of repetitions in this thread of Envoy.
local repetitions = 0

-- An IPv6 address that was not used before: of the time, and the number of the repetition.
local function unused(handle)
  repetitions = repetitions + 1
  local parts, rest = {}, handle:timestamp()
  for i = 1, 4 do
    parts[i] = string.format("%x", rest % 65536)
    rest = math.floor(rest / 65536)
  end
  return string.format("[%s::%x]:1", table.concat(parts, ":"), repetitions % 65536)
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local attempt = tonumber(headers:get("x-envoy-attempt-count"))
  local data = of(handle)
  local state = data:get("semlb")
  if state and state.repeats then
    attempt = attempt - state.repeats
    headers:replace("x-envoy-attempt-count", string.format("%d", attempt))
  end
  local again = state and state.attempt == attempt
  local absent = again and state.absent
  if absent then
    headers:remove("x-semlb-first")
  end
  if again and not absent then
    headers:replace("x-semlb-connection", unused(handle))
  else
    headers:remove("x-semlb-connection")
  end
  if not again then
    data:set("semlb", "stale", 0)
  end
  local _, commas = headers:get("x-semlb-plan"):gsub(",", "")
  data:set("semlb", "attempt", attempt)
  data:set("semlb", "last", attempt > commas)
end

function envoy_on_response(handle)
  local headers = handle:headers()
  if tonumber(headers:get(":status")) < 300 then
    return
  end
  local state = of(handle):get("semlb")
  if not state then
    return
  end
  local repeatable = headers:get("x-semlb-repeat")
  headers:remove("x-semlb-repeat")
  if repeatable and state.stale < MOST_REPEATS then
    of(handle):set("semlb", "repeats", (state.repeats or 0) + 1)
    of(handle):set("semlb", "stale", state.stale + 1)
    of(handle):set("semlb", "absent", repeatable == "absent")
  elseif state.last then
    headers:replace("x-envoy-ratelimited", "true")
  end
end
