-- Replaces the path of a request by its normal form, before a route is selected: the rule is
-- that of wire.NormalPath. A path without one stays as it is, and semlb refuses it.

local function recoded(hex)
  local code = tonumber(hex, 16)
  local char = string.char(code)
  if code < 128 and char:find("^[%w%-._~]$") then
    return char
  end
  return "%" .. hex:upper()
end

local function encoded(char)
  return string.format("%%%02X", char:byte())
end

local function normal(path)
  if path:sub(1, 1) ~= "/" or path:find("[%c\\#]") or path:gsub("%%%x%x", ""):find("%", 1, true) then
    return nil
  end
  if path:find("%%[01]%x") or path:find("%%7[fF]") or path:find("%%5[cC]") then
    return nil
  end
  path = path:gsub("%%(%x%x)", recoded):gsub("[^%w%-._~!$&'()*+,/:;=@%[%]%%]", encoded)
  local kept, last = {}, ""
  for segment in path:gmatch("[^/]+") do
    if segment:find("^%.%.?;") then
      return nil
    elseif segment == ".." then
      table.remove(kept)
    elseif segment ~= "." then
      table.insert(kept, segment)
    end
    last = segment
  end
  local ends = path:sub(-1) == "/" or last == "." or last == ".."
  return "/" .. table.concat(kept, "/") .. (ends and #kept > 0 and "/" or "")
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local path, query = (headers:get(":path") or ""):match("^([^?]*)(.*)$")
  local replaced = normal(path)
  if replaced and replaced ~= path then
    headers:replace(":path", replaced .. query)
  end
end
