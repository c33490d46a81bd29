-- wrk sends each request of a file once, and ends: wrk -t1 -s pushes.lua URL -- FILE COUNT
-- The file has, for each request, its length on a line, and its bytes. There are a few more of them than COUNT, as
-- the connections send others while the last answers arrive.

local pushes, count, sent, answered, wrong = {}, 0, 0, 0, 0

function init(arguments)
   count = tonumber(arguments[2])
   local file = assert(io.open(arguments[1], "rb"))
   for length in file:lines() do
      pushes[#pushes + 1] = file:read(tonumber(length))
   end
   file:close()
end

function request()
   sent = sent + 1
   return assert(pushes[sent], "more requests than pushes")
end

function response(status, headers, body)
   answered = answered + 1
   if status ~= 200 or not body:find("<Encrypt>", 1, true) then
      wrong = wrong + 1
   end
   if answered == count then
      print(string.format("answered %d, wrong %d", answered, wrong))
      os.exit(0)  -- wrk itself would sleep until its time is up
   end
end
