/// What the benchmarks' reports share.
module NE.Benchmarks.Report

open System
open System.Collections.Generic
open System.IO
open System.Text.Json

/// A benchmark could not be made; the message says why and what to do.
exception BenchmarkFailed of Problem: string with
    override this.Message = this.Problem

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

/// Cores and operating system.
let machine: string =
    $"{Environment.ProcessorCount} cores, {Runtime.InteropServices.RuntimeInformation.OSDescription}"

/// Processes that wanted to run in the last minute, a mean: how quiet the machine was.
let load () : float =
    let first = (File.ReadAllText "/proc/loadavg").Split ' ' |> Array.head
    Double.Parse(first, Globalization.CultureInfo.InvariantCulture)

/// How this program was started, for the reports.
let command: string =
    let arguments =
        Environment.GetCommandLineArgs()
        |> Seq.skip 1
        |> Seq.map (fun word -> if word.Contains ' ' then $"'{word}'" else word)

    String.concat " " (Seq.append [ "./ne bench" ] arguments)

/// One measurement's report. It is made before the measurement, so that a file that cannot be written is known then.
[<Sealed>]
type Report(file: string option) =
    do Option.iter requireWritable file
    let loadBefore = load ()

    let json =
        JsonSerializerOptions(WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase)

    let fields (value: obj) =
        (JsonSerializer.SerializeToElement(value, json)).EnumerateObject()
        |> Seq.map (fun field -> field.Name, field.Value)

    /// Writes the circumstances and the figures, an object each of whose properties is one.
    member _.Write(figures: obj) : unit =
        let circumstances = {|
            command = command
            machine = machine
            processor = NE.Actors.RunDirectory.Hardware.Processor
            loadBefore = loadBefore
            loadAfter = load ()
            dotnet = Environment.Version.ToString()
        |}

        file
        |> Option.iter (fun file ->
            let whole =
                Seq.append (fields circumstances) (fields figures)
                |> Seq.map KeyValuePair
                |> OrderedDictionary

            File.WriteAllText(file, JsonSerializer.Serialize(whole, json) + "\n")
            printfn $"written to {file}")

/// A median and what it is of, rounded for reports.
let figures (digits: int) (values: float seq) = {|
    median = Math.Round(median values, digits)
    rounds = values |> Seq.map (fun value -> Math.Round(value, digits)) |> Array.ofSeq
|}
