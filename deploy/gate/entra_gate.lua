-- HAProxy asks entra-gate about a request: identity headers on 200, else the gate's own answer.
--
-- In the configuration: `http-request lua.entra_gate 127.0.0.1:3000`, and after it
-- `http-request deny deny_status 503 unless { var(txn.entra_gate) -m str allowed }`.

local identity = {
    "x-entra-tenant-id",
    "x-entra-object-id",
    "x-entra-client-id",
    "x-entra-scopes",
    "x-entra-roles",
    "x-entra-principal",
    "x-entra-agent",
    "x-entra-assertion",
}

-- Headers of a refusal that the client gets.
local told = { "www-authenticate", "content-type", "retry-after" }

-- HAProxy's tables of header values begin at 0.
local function values(headers, name)
    local all = {}
    local of = headers and headers[name]
    if of then
        for _, value in pairs(of) do
            table.insert(all, value)
        end
    end
    return all
end

local function unavailable(txn)
    txn:done(txn:reply({
        status = 503,
        reason = "Service Unavailable",
        headers = { ["retry-after"] = { "1" } },
    }))
end

core.register_action("entra_gate", { "http-req" }, function(txn, gate)
    local headers = {
        ["host"] = { gate },
        ["x-original-method"] = { txn.sf:method() },
        -- Path and query as the client sent them.
        ["x-original-uri"] = { txn.sf:pathq() },
        ["x-original-host"] = { txn.sf:req_fhdr("host") },
    }
    local credentials = values(txn.http:req_get_headers(), "authorization")
    if #credentials > 0 then
        headers["authorization"] = credentials
    end
    local secret = os.getenv("ENTRA_DOOR")
    if secret then
        headers["x-entra-door"] = { secret }
    end

    local asked, response = pcall(function()
        return core.httpclient():get({
            url = "http://" .. gate .. "/auth/haproxy",
            headers = headers,
            timeout = 3000,
        })
    end)
    -- HAProxy itself says 503 of a gate that is down; the gate's own has a body.
    local answered = asked and response and response.status and response.status ~= 0
    if not answered or (response.status == 503 and (response.body or "") == "") then
        return unavailable(txn)
    end

    if response.status == 200 then
        for _, name in ipairs(identity) do
            txn.http:req_del_header(name)
            local value = values(response.headers, name)[1]
            if value then
                txn.http:req_set_header(name, value)
            end
        end
        txn:set_var("txn.entra_gate", "allowed")
        return
    end

    local answer = {}
    for _, name in ipairs(told) do
        local all = values(response.headers, name)
        if #all > 0 then
            answer[name] = all
        end
    end
    txn:done(txn:reply({
        status = response.status,
        reason = response.reason,
        headers = answer,
        body = response.body or "",
    }))
end, 1)
