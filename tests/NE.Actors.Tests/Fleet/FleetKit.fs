/// Members of fleets in this process: real actor systems at ports of loopback that are free, quick to believe that one is gone, and quiet, but for what
/// they said when one waits in vain.
module NE.Actors.Tests.Fleet.FleetKit

open System
open System.Collections.Concurrent
open System.Collections.Generic
open System.IO
open System.Net
open System.Net.Sockets
open System.Threading
open Expecto
open NE.Actors.Cast
open NE.Actors.Fleet
open NE.Actors.Fleet.Environments
open Serilog
open Serilog.Core
open Serilog.Events

/// The last events of Serilog's logger in this process.
[<Sealed>]
type private RecentEvents() =
    static let most = 1_000
    let events = ConcurrentQueue<LogEvent>()

    /// A line for each, and those of what went wrong.
    member _.Told =
        let told (event: LogEvent) =
            let said = event.RenderMessage Globalization.CultureInfo.InvariantCulture
            $"{event.Timestamp.TimeOfDay} {event.Level} {said} {event.Exception}"

        String.Join('\n', Seq.map told events)

    interface ILogEventSink with
        member _.Emit event =
            events.Enqueue event

            while events.Count > most do
                events.TryDequeue() |> ignore

// For a test that waits in vain: fleets are quiet otherwise.
let private recent = RecentEvents()

Log.Logger <-
    LoggerConfiguration()
        // Every question asks with a system of its own, which begins and ends.
        .MinimumLevel.Override("Akka.Remote", LogEventLevel.Warning)
        .WriteTo.Sink(recent)
        .CreateLogger()

/// Another one with every call.
let newKey () : FleetKey =
    let folder = Directory.CreateTempSubdirectory("ne-fleet-").FullName

    try
        FleetKey.Create(Path.Combine(folder, "fleet.pem"))
    finally
        Directory.Delete(folder, true)

let private shared = lazy newKey ()

/// The key of all fleets that are not about keys.
let key () : FleetKey = shared.Force()

let loggers = [| SerilogLogger.TypeName |]

/// Gone is gone soon; long enough for a busy machine.
let patience =
    FleetPatience(
        Heartbeat = TimeSpan.FromSeconds 0.3,
        Silence = TimeSpan.FromSeconds 2.0,
        Stable = TimeSpan.FromSeconds 2.0,
        Answer = TimeSpan.FromSeconds 5.0,
        Repeat = TimeSpan.FromSeconds 0.3
    )

/// Where nobody will answer, or nobody will let one in.
let impatience =
    FleetPatience(Answer = TimeSpan.FromSeconds 0.3, Join = TimeSpan.FromSeconds 2.0, Joining = TimeSpan.FromSeconds 2.0)

/// A port that is free now.
let freePort () : int =
    use listener = new TcpListener(IPAddress.Loopback, 0)
    listener.Start()
    (listener.LocalEndpoint :?> IPEndPoint).Port

/// How a process of this test takes part.
type Joining = {
    Name: string
    Key: FleetKey
    Build: string
    Roles: string list
    Seeds: FleetAddress list
    Port: int
    Public: FleetAddress option
    Patience: FleetPatience
    OldestMayBeLost: bool
    Capacity: int
    Parts: IFleetPart list
}

let member' (name: string) (seeds: FleetAddress list) : Joining = {
    Name = name
    Key = key ()
    Build = "test"
    Roles = [ FleetOptions.NodeRole ]
    Seeds = seeds
    Port = 0
    Public = None
    Patience = patience
    OldestMayBeLost = true
    Capacity = 0
    Parts = []
}

let options (joining: Joining) : FleetOptions =
    FleetOptions(
        Key = joining.Key,
        Name = joining.Name,
        Build = joining.Build,
        Roles = List.toArray joining.Roles,
        Port = joining.Port,
        Public = Option.toNullable joining.Public,
        Seeds = List.toArray joining.Seeds,
        Loggers = loggers,
        Patience = joining.Patience,
        OldestMayBeLost = joining.OldestMayBeLost
    )

/// Joins, or begins a fleet, unless it is given up before.
let joinUntil (giveUp: CancellationToken) (joining: Joining) : FleetMember =
    let offering (card: NodeCard) =
        NodeCard(
            Name = card.Name,
            Address = card.Address,
            Incarnation = card.Incarnation,
            Roles = card.Roles,
            Build = card.Build,
            Versions = card.Versions,
            Processor = card.Processor,
            Cores = card.Cores,
            Slots = card.Slots,
            EnvironmentCapacity = joining.Capacity,
            Started = card.Started
        )

    FleetMember
        .Join(options joining, Func<_, _> offering, DateTimeOffset.UnixEpoch, List.toArray joining.Parts, giveUp)
        .GetAwaiter()
        .GetResult()

let join: Joining -> FleetMember = joinUntil CancellationToken.None

/// Leaves, and waits until it has.
let leave (left: FleetMember) : unit = left.DisposeAsync().AsTask().Wait()

/// With this member until the body is done.
let during (joining: Joining) (body: FleetMember -> 'T) : 'T =
    let joined = join joining

    try
        body joined
    finally
        leave joined

/// What a fleet consists of, as one of its processes tells a client with this key.
let describedWith (key: FleetKey) (patience: FleetPatience) (address: FleetAddress) : FleetDescription =
    let client = FleetClient.Of(address, key, loggers, patience)

    try
        client.Describe().GetAwaiter().GetResult()
    finally
        client.DisposeAsync().AsTask().Wait()

/// Why it is not let in.
let refusal (joining: Joining) : string =
    try
        leave (join joining)
        failtest "it was let in"
    with :? FleetException as refused ->
        refused.Message

let describe (address: FleetAddress) : FleetDescription = describedWith (key ()) patience address

/// Names of those that answer, and how many do not.
let names (fleet: FleetDescription) : string list * int =
    [ for node in fleet.Nodes -> node.Name ] |> List.sort, fleet.Silent.Count

/// Waits for a condition that a passing test reaches long before the end.
let eventually (what: string) (condition: unit -> bool) : unit =
    let deadline = DateTime.UtcNow.AddMinutes 2.0

    // On a busy machine a process may not answer yet.
    let holds () =
        try
            condition ()
        with :? FleetException ->
            false

    while not (holds ()) do
        if DateTime.UtcNow > deadline then
            failtest $"never: {what}. What was said:\n{recent.Told}"

        Thread.Sleep 100

/// A node that holds environments.
let holder (name: string) (seeds: FleetAddress list) (offer: EnvironmentOffer) : Joining = {
    member' name seeds with
        Capacity = 2
        Parts = [ offer ]
}
