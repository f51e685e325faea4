/// A server that answers as Seq 2025.2's API is documented to, by the classes of its client Seq.Api, and refuses whatever those do not have.
module NE.Shell.Tests.SeqServer.SeqStandIn

open System
open System.Collections.Concurrent
open System.Collections.Generic
open System.IO
open System.Net
open System.Text
open System.Text.Json
open System.Text.Json.Nodes
open System.Threading.Tasks
open NE.Shell.Tests.Support

/// What a property may hold.
type private Form =
    | Text
    | Truth
    | Number of least: int * most: int
    | OneOf of string list
    | ListOf of Form
    | Object of (string * Form) list
    | SignalId

let rec private expression depth =
    Object [
        "Kind", OneOf [ "Signal"; "Intersection"; "Union" ]
        "SignalId", SignalId
        if depth > 0 then
            "Left", expression (depth - 1)
            "Right", expression (depth - 1)
    ]

let private entity = [ "Id", Text; "Title", Text; "IsProtected", Truth; "OwnerId", Text ]

let private signal =
    Object(
        entity
        @ [
            "Description", Text
            "Filters",
            ListOf(
                Object [
                    "Description", Text
                    "DescriptionIsExcluded", Truth
                    "Filter", Text
                    "FilterNonStrict", Text
                ]
            )
            "Columns", ListOf(Object [ "Expression", Text ])
            "IsIndexSuppressed", Truth
            "Grouping", OneOf [ "Inferred"; "Explicit"; "None" ]
            "ExplicitGroupName", Text
        ]
    )

let private query = Object(entity @ [ "Description", Text; "Sql", Text ])

let private chartQuery =
    Object [
        "Id", Text
        "Measurements", ListOf(Object [ "Value", Text; "Label", Text ])
        "Where", Text
        "SignalExpression", expression 3
        "GroupBy", ListOf Text
        "DisplayStyle",
        Object [
            "Type", OneOf [ "Line"; "Bar"; "Point"; "Value"; "Pie"; "Table" ]
            "LineFillToZeroY", Truth
            "LineShowMarkers", Truth
            "BarOverlaySum", Truth
            "SuppressLegend", Truth
            "Palette", OneOf [ "Default"; "Reds"; "Greens"; "Blues"; "OrangePurple" ]
        ]
        "Having", Text
        "OrderBy", ListOf Text
        "Limit", Number(1, 100_000)
    ]

let private dashboard =
    Object(
        entity
        @ [
            "SignalExpression", expression 3
            "Charts",
            ListOf(
                Object [
                    "Id", Text
                    "Title", Text
                    "SignalExpression", expression 3
                    "Queries", ListOf chartQuery
                    "DisplayStyle", Object [ "WidthColumns", Number(1, 12); "HeightRows", Number(1, 12) ]
                ]
            )
        ]
    )

let private groups =
    dict [
        "signals", ("Signals", signal, "signal")
        "sqlqueries", ("SqlQueries", query, "sqlquery")
        "dashboards", ("Dashboards", dashboard, "dashboard")
    ]

/// What is wrong with a value, with its place; null is a value of every form.
let rec private problems (isSignal: string -> bool) (place: string) (form: Form) (node: JsonNode | null) : string list =
    match node with
    | null -> []
    | node ->
        match form, node with
        | Object properties, (:? JsonObject as found) -> [
            for property in found do
                match List.tryFind (fun (name, _) -> name = property.Key) properties with
                | Some(name, form) -> yield! problems isSignal $"{place}.{name}" form property.Value
                | None -> $"{place} has no {property.Key}"
          ]
        | ListOf form, (:? JsonArray as items) ->
            [
                for i in 0 .. items.Count - 1 -> problems isSignal $"{place}[{i}]" form items[i]
            ]
            |> List.concat
        | Truth, (:? JsonValue as value) when List.contains (value.GetValueKind()) [ JsonValueKind.True; JsonValueKind.False ] -> []
        | Number(least, most), (:? JsonValue as value) when value.GetValueKind() = JsonValueKind.Number ->
            let number = value.GetValue<int>()

            if number >= least && number <= most then
                []
            else
                [ $"{place} is {number}" ]
        | (Text | OneOf _ | SignalId), (:? JsonValue as value) when value.GetValueKind() = JsonValueKind.String ->
            match value.GetValue<string>(), form with
            | text, OneOf allowed when not (List.contains text allowed) -> [ $"{place} is {text}" ]
            | text, SignalId when not (isSignal text) -> [ $"{place}: there is no signal {text}" ]
            | _ -> []
        | _ -> [ $"{place} is {node.ToJsonString()}" ]

/// The server. What `refused` answers is said instead of everything but the root.
type SeqStandIn(?key: string, ?refused: HttpStatusCode) =
    let requests = ConcurrentQueue<string>()
    let keys = ConcurrentQueue<string | null>()
    let stored = Dictionary<string, List<JsonObject>>()
    let mutable ids = 0

    let linked (item: JsonObject) group =
        let answer = item.DeepClone().AsObject()
        let id = string item["Id"]
        let links = JsonObject()
        links["Self"] <- JsonValue.Create $"api/{group}/{id}"
        answer["Links"] <- links
        answer

    let links (pairs: (string * string) list) =
        let all = JsonObject()

        for name, link in pairs do
            all[name] <- JsonValue.Create link

        let answer = JsonObject()
        answer["Links"] <- all
        answer

    let root () =
        let answer =
            links [
                "Self", "api"
                for pair in groups do
                    let name, _, _ = pair.Value
                    $"{name}Resources", $"api/{pair.Key}/resources"
            ]

        answer["Product"] <- JsonValue.Create "Seq"
        answer["Version"] <- JsonValue.Create "2025.2.14"
        answer

    let resources group =
        links [
            "Self", $"api/{group}/resources"
            "Item", $"api/{group}/{{id}}"
            "Items", $"api/{group}{{?ownerId,shared}}"
            "Template", $"api/{group}/template"
        ]

    let add (group: string) (content: JsonObject) =
        ids <- ids + 1
        let _, _, prefix = groups[group]
        content["Id"] <- JsonValue.Create $"{prefix}-{ids}"
        stored[group].Add content
        content

    let template (group: string) =
        let content = JsonObject()
        content["Title"] <- JsonValue.Create "New"
        content["OwnerId"] <- JsonValue.Create "user-admin"

        if group = "signals" then
            content["IsIndexSuppressed"] <- JsonValue.Create false

        content

    let check (group: string) (content: JsonObject) =
        let _, form, _ = groups[group]

        let isSignal id =
            stored["signals"].Exists(fun signal -> string signal["Id"] = id)

        problems isSignal group form content

    let error status (message: string) =
        let answer = JsonObject()
        answer["Error"] <- JsonValue.Create message
        status, answer :> JsonNode

    let write (group: string) (body: string) (store: JsonObject -> int * JsonNode) =
        let content = (nonNull (JsonNode.Parse body)).AsObject()

        match check group content with
        | [] -> store content
        | wrong -> error 400 (String.concat "; " wrong)

    let answer (request: HttpListenerRequest) (body: string) : int * JsonNode =
        let path = (nonNull request.Url).AbsolutePath.Trim('/').Split '/'
        let isKnown = key.IsNone || request.Headers["X-Seq-ApiKey"] = key.Value

        match request.HttpMethod, List.ofArray path with
        | "GET", [ "api" ] -> 200, root ()
        | _, "api" :: _ when refused.IsSome -> error (int refused.Value) "refused"
        | _, "api" :: group :: _ when not (groups.ContainsKey group) -> error 404 "no such group"
        | _, "api" :: _ when not isKnown -> error 401 "unauthorised"
        | "GET", [ "api"; group; "resources" ] -> 200, resources group
        | "GET", [ "api"; group; "template" ] -> 200, template group
        | "GET", [ "api"; group ] when request.QueryString["shared"] = "true" ->
            200, JsonArray([| for item in stored[group] -> linked item group :> JsonNode |])
        | "POST", [ "api"; group ] -> write group body (fun content -> 201, linked (add group content) group)
        | "PUT", [ "api"; group; id ] ->
            match stored[group].FindIndex(fun item -> string item["Id"] = id) with
            | -1 -> error 404 "no such item"
            | index ->
                write group body (fun content ->
                    stored[group][index] <- content
                    200, linked content group)
        | _ -> error 405 $"{request.HttpMethod} is not for this address"

    let serve (context: HttpListenerContext) =
        task {
            use reader = new StreamReader(context.Request.InputStream)
            let! body = reader.ReadToEndAsync()
            requests.Enqueue $"{context.Request.HttpMethod} {context.Request.RawUrl}"
            keys.Enqueue context.Request.Headers["X-Seq-ApiKey"]

            let status, content = lock stored (fun () -> answer context.Request body)

            context.Response.StatusCode <- status
            context.Response.ContentType <- "application/json"
            let bytes = Encoding.UTF8.GetBytes(content.ToJsonString())
            do! context.Response.OutputStream.WriteAsync(bytes, 0, bytes.Length)
            context.Response.Close()
        }
        :> Task

    do
        for group in groups.Keys do
            stored[group] <- List()

    let server = new HttpStandIn(serve)

    member _.Url = server.Url

    /// "METHOD path?query", in order.
    member _.Requests = requests.ToArray()

    member _.Keys = keys.ToArray()

    /// What is stored of signals, sqlqueries or dashboards.
    member _.Stored(group: string) =
        lock stored (fun () -> stored[group].ToArray())

    /// Stores something as a user would.
    member _.Add(group: string, content: JsonObject) =
        lock stored (fun () -> add group content)

    interface IDisposable with
        member _.Dispose() = (server :> IDisposable).Dispose()
