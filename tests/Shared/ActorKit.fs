/// Akka.TestKit under Expecto: an own actor system per test, so tests run beside each other.
module NE.Tests.ActorKit

open System
open System.Collections.Generic
open System.Threading.Tasks
open Akka.Actor.Setup
open Akka.Configuration
open Akka.TestKit
open Expecto

let private text (message: string) (arguments: obj[]) =
    // TestKit passes null for "no arguments", whatever its signature says.
    if isNull (box arguments) || arguments.Length = 0 then
        message
    else
        String.Format(message, arguments)

let private thrown (action: unit -> unit) =
    try
        action ()
        None
    with error ->
        Some error

let private thrownBy (action: Func<Task>) =
    task {
        try
            do! action.Invoke()
            return None
        with error ->
            return Some error
    }

let private expected (found: exn option) =
    match found with
    | Some error -> error
    | None -> failtest "expected an exception, but there was none"

let private expectedOf<'E when 'E :> exn> (found: exn option) =
    match expected found with
    | :? 'E as error -> error
    | error -> failtestf "expected %s, found %O" typeof<'E>.Name error

/// What TestKit asks of a test framework, answered with Expecto's failures.
type private Assertions() =
    interface ITestKitAssertions with
        member _.Fail(message, arguments) = failtest (text message arguments)

        member _.AssertTrue(condition, message, arguments) =
            if not condition then
                failtest (text message arguments)

        member _.AssertFalse(condition, message, arguments) =
            if condition then
                failtest (text message arguments)

        member _.AssertEqual<'T>(wanted: 'T, found: 'T, message: string, arguments: obj[]) =
            if not (EqualityComparer<'T>.Default.Equals(wanted, found)) then
                failtestf "%s expected %A, found %A" (text message arguments) wanted found

        member _.AssertEqual<'T>(wanted: 'T, found: 'T, comparer: Func<'T, 'T, bool>, message: string, arguments: obj[]) =
            if not (comparer.Invoke(wanted, found)) then
                failtestf "%s expected %A, found %A" (text message arguments) wanted found

        member _.AssertThrows(action: Action) : exn = expected (thrown action.Invoke)

        member _.AssertThrows<'E when 'E :> exn>(action: Action) : 'E = expectedOf<'E>(thrown action.Invoke)

        member _.AssertThrowsAsync(action: Func<Task>) : Task<exn> =
            task {
                let! found = thrownBy action
                return expected found
            }

        member _.AssertThrowsAsync<'E when 'E :> exn>(action: Func<Task>) : Task<'E> =
            task {
                let! found = thrownBy action
                return expectedOf<'E> found
            }

let private uniqueName () = "t" + Guid.NewGuid().ToString("N")[..7]

/// One actor system with a test actor; disposing it ends the system.
type ActorKit(setup: ActorSystemSetup) =
    inherit TestKitBase(Assertions(), setup, uniqueName (), "")

    /// A system with this HOCON over TestKit's.
    new(hocon: string) =
        let config =
            ConfigurationFactory.ParseString(hocon).WithFallback(TestKitBase.DefaultConfig)

        new ActorKit(ActorSystemSetup.Create(Akka.Actor.BootstrapSetup.Create().WithConfig config))

    interface IDisposable with
        member this.Dispose() = this.Shutdown()

/// A test with its own actor system.
let actorTest name hocon (body: ActorKit -> unit) =
    testCase name (fun () ->
        use kit = new ActorKit(hocon: string)
        body kit)
