namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// Reset (methods.md).
type ResetSettings = {
    /// Environment steps between two resets; 0: only the switches of a cycle reset.
    Every: Derived<int64>
    /// Whether SAC's temperature begins anew, too.
    Temperature: bool
}

[<RequireQualifiedAccess>]
module internal ResetSettings =

    let private key name =
        Keys.key<RunFacts, ResetSettings, _> name

    let section =
        Section.ofTechniques [ Technique.Reset ] [
            key "reset.every" PaperUnstated (derived (steps 0L)) Auto _.Every (fun v s -> { s with Every = v })
            |> inUnit "environment steps"
            |> autoBy (fun run reset ->
                if run.Length.IsCycle then
                    "0: in a cycle at its switches alone", 0L
                else
                    Period.automatic run reset)
            |> check (fun run reset ->
                // The switches of a cycle reset as well.
                if run.Length.IsCycle then
                    None
                else
                    Period.problem Technique.Reset "reset" reset.Every.Value run)
            |> says
                "Steps between two resets of all networks; auto: 200,000, at most a fifth of the run, from pictures a tenth, and a third of its steps after learner.startSteps; in a cycle 0: at its switches alone. Never within half of that before the end."

            key "reset.temperature" (Cited "reset") switch true _.Temperature (fun v s -> { s with Temperature = v })
            |> inOldRuns false
            |> says "Whether a reset lets the temperature of sac and drq begin anew, too, as the authors' code does."
        ]
