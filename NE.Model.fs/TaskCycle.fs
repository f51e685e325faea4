namespace NE.Model

open System

/// The text of an environment that is several tasks, learned one after the other and again: cycle:TASK,TASK,...
[<RequireQualifiedAccess>]
module TaskCycle =

    [<Literal>]
    let Prefix = "cycle:"

    let isCycle (environment: string) : bool =
        environment.StartsWith(Prefix, StringComparison.Ordinal)

    /// The ids in their order, as they are written, also empty ones; none for an environment that is not a cycle.
    let tasks (environment: string) : string[] =
        if isCycle environment then
            environment.Substring(Prefix.Length).Split(',') |> Array.map _.Trim()
        else
            [||]
