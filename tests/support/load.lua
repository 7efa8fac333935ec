-- Read pages and the assets that they name, and hold each to one version.
-- Arguments: the pause between two requests of a connection, in milliseconds; what a mark of a
-- version looks like; how many of them a page has, and an asset.
local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(arguments)
    pause = tonumber(arguments[1])
    mark = arguments[2]
    marks_of_page, marks_of_asset = tonumber(arguments[3]), tonumber(arguments[4])
    asset, wanted = nil, nil
    pages, assets, mixed, failed = 0, 0, 0, 0
    versions, example = "", ""
end

function delay()
    return pause
end

function request()
    return wrk.format("GET", asset or "/")
end

function response(status, _, body)
    local expected = wanted
    local was_asset = asset ~= nil
    asset, wanted = nil, nil
    local count = 0
    for version in body:gmatch(mark) do
        expected = expected or version
        count = count + 1
        if version ~= expected then
            count = -100
        end
    end
    if status ~= 200 then
        failed = failed + 1
        example = status .. " " .. (was_asset and "asset" or "page")
    elseif count ~= (was_asset and marks_of_asset or marks_of_page) then
        mixed = mixed + 1
        example = body
    elseif was_asset then
        assets = assets + 1
    else
        pages = pages + 1
        asset, wanted = body:match('href="([^"]+)"'), expected
        if not versions:find(" " .. expected .. " ", 1, true) then
            versions = versions .. " " .. expected .. " "
        end
    end
end

function done(summary)
    local sums = { pages = 0, assets = 0, mixed = 0, failed = 0 }
    local seen, examples = {}, {}
    for _, thread in ipairs(threads) do
        for name in pairs(sums) do
            sums[name] = sums[name] + thread:get(name)
        end
        for version in thread:get("versions"):gmatch("%S+") do
            seen[version] = true
        end
        if thread:get("example") ~= "" then
            table.insert(examples, thread:get("example"))
        end
    end
    local names = {}
    for version in pairs(seen) do
        table.insert(names, version)
    end
    local errors = summary.errors
    print("RESULT")
    print("pages=" .. sums.pages)
    print("assets=" .. sums.assets)
    print("mixed=" .. sums.mixed)
    print("failed=" .. sums.failed)
    print("errors=" .. errors.connect + errors.read + errors.write + errors.timeout)
    print("versions=" .. table.concat(names, " "))
    print("examples=" .. table.concat(examples, " | "):gsub("\n", " "))
end
