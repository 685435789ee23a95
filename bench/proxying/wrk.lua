-- wrk -s wrk.lua URL -- FILE: the tokens of the file, one after the other, again from the start when
-- they are used up. Every case goes through here, so that the load costs wrk the same. At the end a
-- line of JSON; times in microseconds.

local requests, position, threads = {}, 0, {}
-- How often the file was begun. Global, as it is read from another thread.
passes = 1

function setup(thread)
    table.insert(threads, thread)
end

function init(arguments)
    for token in io.lines(arguments[1]) do
        wrk.headers["Authorization"] = "Bearer " .. token
        requests[#requests + 1] = wrk.format()
    end
end

function request()
    position = position + 1
    if position > #requests then
        position, passes = 1, passes + 1
    end
    return requests[position]
end

function done(summary, latency)
    local most = 0
    for _, thread in ipairs(threads) do
        most = math.max(most, thread:get("passes"))
    end
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "passes": %d, '
            .. '"refused": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d}\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), most,
        errors.status, errors.connect, errors.read, errors.write, errors.timeout))
end
