/// When two runs are the same run (docs/architecture.md, promise 1).
module NE.Tests.RunIdentity

open System.IO
open Expecto
open NE.Actors.Integrity
open NE.Actors.RunDirectory

/// Everything that must be equal: what the product itself says, and the TensorBoard events but for what clocks say.
type Identity = {
    Run: RunIdentity
    Logged: EventsOfRun.Logged list
}

let identity (paths: RunPaths) : Identity = {
    Run = RunIdentity.Of paths
    Logged =
        if File.Exists paths.Events then
            EventsOfRun.withoutClocks (EventsOfRun.ofRun paths)
        else
            []
}

/// Fails naming the first difference, from what is most telling to what is least.
let expectSame (actual: Identity) (expected: Identity) (message: string) =
    match actual.Run.FirstDifference expected.Run with
    | null -> ()
    | difference -> failtestf "%s: %s" message difference

    // A test that compared nothing would pass.
    Expect.isNonEmpty expected.Run.History $"{message}: history"
    Expect.isNonEmpty expected.Run.Tables $"{message}: tables"
    Expect.equal actual.Logged expected.Logged $"{message}: TensorBoard events"
    Expect.equal actual.Run.State.State expected.Run.State.State $"{message}: state digest"
