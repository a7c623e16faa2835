-- Runs once for each attempt of a request, see repeat.go. An attempt that the inner hop
-- permits to repeat is followed by one with the same number: on a connection of its own, or
-- if its cluster was absent, without the one that the outer role has set.
--
-- A replan, see envoy.Replan, takes the place of the request's plan from the next attempt on.

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

-- Whether an attempt is for the last target of a plan.
local function is_last(attempt, plan)
  local _, commas = plan:gsub(",", "")
  return attempt > commas
end

-- The pairs of a query.
local function pairs_of(query)
  local function decoded(text)
    return (text:gsub("%+", " "):gsub("%%(%x%x)", function(hex)
      return string.char(tonumber(hex, 16))
    end))
  end
  local all = {}
  for key, value in query:gmatch("([^&=]+)=([^&]*)") do
    table.insert(all, { key = decoded(key), value = decoded(value) })
  end
  return all
end

-- Gives a request the headers of its replan.
local function follow(headers, replan)
  for _, pair in ipairs(pairs_of(replan)) do
    if pair.key == "remove" then
      headers:remove(pair.value)
    elseif pair.key ~= "statuses" then
      headers:replace(pair.key, pair.value)
    end
  end
end

-- Keeps a replan for the next attempt, and for the log entry of the request.
local function keep(data, attempt, replan)
  data:set("semlb", "replan", replan)
  for _, pair in ipairs(pairs_of(replan)) do
    if pair.key == "statuses" then
      data:set("semlb", "statuses", pair.value)
    elseif pair.key == "x-semlb-instance" then
      data:set("semlb", "instance", pair.value)
    elseif pair.key == "x-semlb-plan" then
      data:set("semlb", "plan", pair.value)
      data:set("semlb", "last", is_last(attempt, pair.value))
    end
  end
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
  if state and state.replan then
    follow(headers, state.replan)
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
    data:set("semlb", "missing", 0)
  end
  data:set("semlb", "attempt", attempt)
  data:set("semlb", "last", is_last(attempt, headers:get("x-semlb-plan")))
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local data = of(handle)
  local state = data:get("semlb")
  if not state then
    return
  end
  local replan = headers:get("x-semlb-replan")
  if replan then
    headers:remove("x-semlb-replan")
    keep(data, state.attempt, replan)
    state = data:get("semlb")
  end
  local status = headers:get(":status")
  if tonumber(status) < 300 then
    return
  end
  local repeatable = headers:get("x-semlb-repeat")
  headers:remove("x-semlb-repeat")
  local cause = repeatable == "absent" and "missing" or "stale"
  if repeatable and state[cause] < MOST_REPEATS then
    data:set("semlb", "repeats", (state.repeats or 0) + 1)
    data:set("semlb", cause, state[cause] + 1)
    data:set("semlb", "absent", repeatable == "absent")
  elseif state.last then
    headers:replace("x-envoy-ratelimited", "true")
  elseif state.statuses and not (headers:get("x-semlb-retry") or headers:get("x-envoy-ratelimited")) then
    -- A provider's answer: Envoy has the statuses of the plan before only.
    local listed = state.statuses:find(" " .. status .. " ", 1, true)
    headers:replace(listed and "x-semlb-retry" or "x-envoy-ratelimited", "true")
  end
end
