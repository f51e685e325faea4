namespace NE.Model.Fleet

/// What the exit codes of a cell's process say, or stand for where there was no process. Of one that was killed it is 128 and the signal's number.
[<RequireQualifiedAccess>]
module CellExitCode =

    /// The run is complete.
    [<Literal>]
    let Complete = 0

    /// It could not be begun anywhere, or how it ended is not known: what it said last is the reason.
    [<Literal>]
    let Unusable = 1

    /// It was stopped, or not begun, and can go on.
    [<Literal>]
    let Interrupted = 3

    /// It ended by itself, because nobody renewed its right to go on. The "temporary failure" of sysexits.h: no code of ours, of the dotnet host, a
    /// shell or a signal.
    [<Literal>]
    let LeaseIsOver = 75
