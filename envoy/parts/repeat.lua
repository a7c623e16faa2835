-- Runs once for each attempt of a request, see repeat.go. An attempt that the inner hop
-- permits to repeat is followed by one with the same number.

local function of(handle)
  return handle:streamInfo():dynamicMetadata()
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
  if not state or state.attempt ~= attempt then
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
  elseif state.last then
    headers:replace("x-envoy-ratelimited", "true")
  end
end
