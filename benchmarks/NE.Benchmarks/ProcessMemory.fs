/// Resident memory of a process, as Linux counts it.
module NE.Benchmarks.ProcessMemory

open System
open System.Globalization
open System.IO

/// Megabytes (1e6 bytes) of a process that are in main memory.
type Resident = {
    Whole: float
    /// Memory that the process wrote: heaps, stacks, libraries' data.
    Anonymous: float
    /// Pages of files: code, and mapped data, which the system can drop and read again.
    File: float
    /// Shared memory: .NET keeps compiled code in it.
    Shared: float
    /// The part of `File` that are mapped segments of the replay memory.
    Replay: float
} with

    /// Everything but the mapped replay memory.
    member this.BesideReplay = this.Whole - this.Replay

    /// With one decimal, for reports.
    member this.Rounded =
        let round (value: float) = Math.Round(value, 1)

        {|
            whole = round this.Whole
            anonymous = round this.Anonymous
            file = round this.File
            shared = round this.Shared
            replay = round this.Replay
            besideReplay = round this.BesideReplay
        |}

/// "Rss:   123 kB" or "VmRSS:  123 kB" in megabytes.
let private megabytes (line: string) =
    let digits = line |> Seq.filter Char.IsDigit |> Array.ofSeq |> String
    1024e-6 * Double.Parse(digits, CultureInfo.InvariantCulture)

/// Sum of the resident parts of a process's mappings whose file's path has a piece of text in it, from the text of /proc/ID/smaps.
let mapped (part: string) (smaps: string seq) : float =
    let mutable inside = false
    let mutable sum = 0.0

    for line in smaps do
        // A mapping begins with its addresses; its properties are a name and a colon.
        let name = line.Substring(0, max 0 (line.IndexOf ' '))

        if name.Contains '-' then
            inside <- line.Contains part
        elif inside && name = "Rss:" then
            sum <- sum + megabytes line

    sum

/// The memory of a process that this user may look at.
let ofProcess (id: int) : Resident =
    let status = File.ReadAllLines $"/proc/{id}/status"

    let value (name: string) =
        status
        |> Array.tryFind _.StartsWith(name + ":")
        |> Option.map megabytes
        |> Option.defaultValue 0.0

    {
        Whole = value "VmRSS"
        Anonymous = value "RssAnon"
        File = value "RssFile"
        Shared = value "RssShmem"
        Replay = mapped "/replay/seg-" (File.ReadLines $"/proc/{id}/smaps")
    }
