/// When two runs are the same run (docs/architecture.md, promise 1).
module NE.Tests.RunIdentity

open System.IO
open Expecto
open NE.Actors.Checkpoints
open NE.Actors.Journal
open NE.Model.Runs
open NE.Actors.RunDirectory

/// Everything that must be equal: the state digest, the ordered history with step and ordinal, the bytes of the tables, and the TensorBoard
/// events but for what clocks say.
type RunIdentity = {
    State: StateDigest
    History: string list
    Tables: (string * string) list
    Logged: EventsOfRun.Logged list
}

let identity (paths: RunPaths) : RunIdentity =
    use journal = JournalReader.Open paths

    {
        State = CheckpointReader.Digest(paths, CheckpointChoice.Last)
        // F# prints a record's every field, ordinals and indices included.
        History =
            journal.Events()
            |> Seq.map _.Event
            |> Seq.filter RunEvents.isHistory
            |> Seq.map string
            |> List.ofSeq
        Tables = [
            for table in [ "metrics.csv"; "layers.csv"; "eval.csv"; "topology.csv"; "phases.csv" ] do
                // Only a cycle has phases.
                if table <> "phases.csv" || File.Exists paths.Phases then
                    table, File.ReadAllText(Path.Combine(paths.Root, table))
        ]
        Logged =
            if File.Exists paths.Events then
                EventsOfRun.withoutClocks (EventsOfRun.ofRun paths)
            else
                []
    }

/// Fails naming the first difference, from what is most telling to what is least.
let expectSame (actual: RunIdentity) (expected: RunIdentity) (message: string) =
    Expect.equal actual.State.Step expected.State.Step $"{message}: step"
    Expect.equal actual.History.Length expected.History.Length $"{message}: number of history events"

    for found, wanted in List.zip actual.History expected.History do
        Expect.equal found wanted $"{message}: history event"

    for (table, found), (_, wanted) in List.zip actual.Tables expected.Tables do
        Expect.equal found wanted $"{message}: {table}"

    Expect.equal actual.Logged expected.Logged $"{message}: TensorBoard events"

    for component' in expected.State.Components.Keys do
        Expect.equal actual.State.Components[component'] expected.State.Components[component'] $"{message}: {component'}"

    Expect.equal actual.State.State expected.State.State $"{message}: state digest"
