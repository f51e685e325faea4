/// Stopped runs to pack, and archives as files that a test can look into, change and forge.
module NE.Shell.Tests.Archives.ArchiveFiles

open System.Formats.Tar
open System.IO
open System.IO.Compression
open System.Text
open Expecto
open NE.Actors.RunDirectory
open NE.Shell.Host
open NE.Shell.Tests
open NE.Shell.Tests.Support

/// A golden run of the newest format, stopped in the middle.
let stored (name: string) : GoldenRunTests.GoldenRun =
    GoldenRunTests.newest |> List.find (fun run -> run.Name = name)

/// The run that most tests take: one environment, serial.
let stopped = stored "td3-serial"

/// A folder with a folder of runs in it that has the stopped run.
type Stopped() =
    let folder = new TemporaryFolder()
    let runs = folder.File "runs"

    do
        Directory.CreateDirectory runs |> ignore
        GoldenRunTests.unpack stopped runs

    member _.Runs = runs
    member _.Run = RunPaths.Of(runs, stopped.Name)
    member _.File(name: string) = folder.File name

    /// Executes a command line on the folder of runs; nothing is trained.
    member _.Ne(arguments: string list) = execute (host runs noRun) arguments

    /// Executes a command line that must succeed, and returns what it says on standard output.
    member this.Done(arguments: string list) =
        let code, output, errors = this.Ne arguments
        Expect.equal code ExitCode.Ok $"{arguments}: {output}{errors}"
        output

    /// An archive of the stopped run, made with further options.
    member this.Archived(options: string list) : string =
        let file = folder.File "archive.tar.gz"

        this.Done([ "archive"; stopped.Name; "-o"; file; "--overwrite" ] @ options)
        |> ignore

        file

    interface System.IDisposable with
        member _.Dispose() =
            (folder :> System.IDisposable).Dispose()

/// Names and contents of the entries, in order.
let entries (file: string) : (string * byte[]) list =
    use unzipped = new GZipStream(File.OpenRead file, CompressionMode.Decompress)
    use tar = new TarReader(unzipped)

    let rec rest () = [
        match tar.GetNextEntry() with
        | null -> ()
        | entry ->
            let content = new MemoryStream()

            match entry.DataStream with
            | null -> ()
            | data -> data.CopyTo content

            yield entry.Name, content.ToArray()
            yield! rest ()
    ]

    rest ()

/// An archive of any entries.
let forge (file: string) (content: TarEntry list) =
    use zipped = new GZipStream(File.Create file, CompressionMode.Compress)
    use tar = new TarWriter(zipped)

    for entry in content do
        tar.WriteEntry entry

/// An entry with a content.
let entry (name: string) (content: byte[]) : TarEntry =
    PaxTarEntry(TarEntryType.RegularFile, name, DataStream = new MemoryStream(content))

/// The entries of an archive after a change, as entries again.
let changed (file: string) (change: string * byte[] -> string * byte[]) : TarEntry list = [
    for found in entries file do
        change found ||> entry
]

/// The index with one text replaced by another.
let indexWith (was: string) (now: string) (name: string, content: byte[]) : string * byte[] =
    if name = "index.json" then
        let text = Encoding.UTF8.GetString content
        Expect.stringContains text was "what is replaced is in the index"
        name, Encoding.UTF8.GetBytes(text.Replace(was, now))
    else
        name, content

/// Every file below a folder, with its bytes.
let files (folder: string) : Map<string, byte[]> =
    if Directory.Exists folder then
        Map [
            for file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories) do
                Path.GetRelativePath(folder, file), File.ReadAllBytes file
        ]
    else
        Map.empty
