/// What the benchmarks' reports share.
module NE.Benchmarks.Report

open System
open System.IO
open System.Text.Json

/// The middle value; the mean of the two middle ones of an even number.
let median (values: float seq) : float =
    let sorted = values |> Seq.sort |> Array.ofSeq
    let middle = sorted.Length / 2

    if sorted.Length % 2 = 1 then
        sorted[middle]
    else
        (sorted[middle - 1] + sorted[middle]) / 2.0

/// Makes the file, if it is not there, and its folder: what cannot be written should be known before the measurement.
let requireWritable (file: string) : unit =
    match Path.GetDirectoryName(Path.GetFullPath file) with
    | null -> ()
    | folder -> Directory.CreateDirectory folder |> ignore

    File.Open(file, FileMode.OpenOrCreate, FileAccess.Write).Dispose()

/// Writes a report as JSON, and its folder when that is missing.
let write (file: string) (report: obj) : unit =
    requireWritable file

    File.WriteAllText(
        file,
        JsonSerializer.Serialize(report, JsonSerializerOptions(WriteIndented = true))
        + "\n"
    )

    printfn $"written to {file}"

/// Cores and operating system.
let machine: string =
    $"{Environment.ProcessorCount} cores, {Runtime.InteropServices.RuntimeInformation.OSDescription}"

/// The processor's name, as Linux gives it.
let processor: string =
    File.ReadLines "/proc/cpuinfo"
    |> Seq.tryFind _.StartsWith("model name")
    |> Option.map (fun line -> line.Substring(line.IndexOf ':' + 1).Trim())
    |> Option.defaultValue "unknown"

/// Processes that wanted to run in the last minute, a mean: how quiet the machine was.
let load () : float =
    let first = (File.ReadAllText "/proc/loadavg").Split ' ' |> Array.head
    Double.Parse(first, Globalization.CultureInfo.InvariantCulture)
