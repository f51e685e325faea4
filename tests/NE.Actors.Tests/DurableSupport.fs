/// What the tests of storage, checkpoints and journal share: scratch folders, rows and states with known content.
module NE.Actors.Tests.DurableSupport

#nowarn "9" // the replay memory is read through native pointers

open System
open System.Collections.Generic
open System.Diagnostics
open System.IO
open System.Threading
open Expecto
open NE.Actors.Checkpoints
open NE.Actors.Replay
open NE.Actors.Storage
open NE.Model.History
open NE.Model.Runs

/// A folder that is gone at the end of the test. In memory where there is such a file system: what is tested is what a dying process leaves,
/// which does not depend on the disk, and a slow disk would make every fsync of every test wait.
type Scratch() =
    let path =
        if Directory.Exists "/dev/shm" then
            Path.Combine("/dev/shm", "ne-test-" + Guid.NewGuid().ToString "N")
        else
            Path.Combine(Path.GetTempPath(), "ne-test-" + Guid.NewGuid().ToString "N")

    do Directory.CreateDirectory path |> ignore
    member _.Path = path
    member _.Sub(name: string) = Path.Combine(path, name)

    interface IDisposable with
        member _.Dispose() = Directory.Delete(path, true)

let private command (file: string) (arguments: string list) =
    let info =
        ProcessStartInfo(file, arguments, RedirectStandardError = true, RedirectStandardOutput = true)

    try
        match Process.Start info with
        | null -> false
        | started ->
            use started = started
            started.WaitForExit()
            started.ExitCode = 0
    with _ ->
        false

/// A small file system of its own, where the user may mount one (root in a container or on a machine of one's own); skips the test elsewhere.
type SmallDisk(bytes: int64) =
    let path = Directory.CreateTempSubdirectory("ne-disk-").FullName

    do
        if not (command "mount" [ "-t"; "tmpfs"; "-o"; $"size={bytes}"; "tmpfs"; path ]) then
            Directory.Delete path
            skiptest "a small file system can only be mounted by root"

    member _.Path = path

    /// Takes all space but this much; deleting the file gives it back.
    member _.FillBut(left: int64) =
        let file = Path.Combine(path, "filler")
        File.WriteAllBytes(file, Array.zeroCreate (int (DriveInfo(path).AvailableFreeSpace - left)))
        file

    interface IDisposable with
        member _.Dispose() =
            if command "umount" [ path ] then
                Directory.Delete path

/// A value that must be there.
let there (value: 'T | null) : 'T =
    match value with
    | null -> failtest "expected a value, found null"
    | value -> value

/// Row k as the tests write it: every float tells which row and which column it is.
let rowOf floats (k: int64) =
    Array.init floats (fun j -> float32 k + float32 j / 64f)

let rowsOf floats (first: int64) count =
    Array.concat [ for k in first .. first + int64 count - 1L -> rowOf floats k ]

let append (store: SegmentStore) count =
    store.Append(ReadOnlySpan<float32>(rowsOf store.RowFloats store.Head count))
    |> ignore

let gather (store: SegmentStore) (rows: int64[]) =
    let batch = Array.zeroCreate<float32>(max 1 (rows.Length * store.RowFloats))
    use place = fixed batch
    store.Gather(ReadOnlySpan<int64>(rows), place, store.RowFloats)
    Array.chunkBySize store.RowFloats batch |> Array.truncate rows.Length

let windowOf (store: SegmentStore) = [| store.First .. store.Head - 1L |]

let holdsItsRows (store: SegmentStore) =
    for k, row in Array.zip (windowOf store) (gather store (windowOf store)) do
        if row <> rowOf store.RowFloats k then
            failtestf "row %d holds %A" k row

/// The store's window as a commit names it.
let describe (store: SegmentStore) =
    use capture = store.Capture()
    capture.Flush()
    capture.Describe()

let flipByte (file: string) (at: int64) =
    use stream =
        new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite)

    stream.Position <- at
    let old = stream.ReadByte()
    stream.Position <- at
    stream.WriteByte(byte (old ^^^ 0x10))

let truncate (file: string) (length: int64) =
    use stream =
        new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite)

    stream.SetLength length

/// Waits for a condition that another thread or process brings about.
let eventually what (condition: unit -> bool) =
    if not (SpinWait.SpinUntil(condition, TimeSpan.FromSeconds 60.)) then
        failtestf "waited for a minute, but never: %s" what

let layer = {
    Network = "actor"
    Stack = 0
    Layer = 1
}

let masksOf (active: bool[]) =
    PackedMasks.empty |> PackedMasks.add layer active

/// Bytes that only this step has.
let contentOf (step: int64) length =
    let bytes = Array.zeroCreate<byte> length
    Random(int step).NextBytes bytes
    bytes

let frozenWith step ordinal (components: (string * byte[]) list) (replay: ReplayCapture | null) (best: FrozenBest | null) =
    let named = Dictionary<string, ReadOnlyMemory<byte>>()

    for name, content in components do
        named[name] <- ReadOnlyMemory<byte> content

    FrozenState(step, step / 2L, step / 10L, true, named, replay, Dictionary<string, FileMark>(), best, ordinal)

let frozen step ordinal (replay: ReplayCapture | null) =
    frozenWith
        step
        ordinal
        [
            "parameters", contentOf step 5_000
            "masks", PackedMasks.toBytes (masksOf [| for i in 0..99 -> i % 3 = 0 |])
        ]
        replay
        null

/// The state with places in the history that are kept for evaluations.
let keeping (kept: int64 list) (s: FrozenState) =
    FrozenState(
        s.Step,
        s.GradientStep,
        s.Round,
        s.Scheduled,
        s.Components,
        s.Replay,
        s.Files,
        s.Best,
        s.HistoryOrdinal,
        KeptOrdinals = kept
    )

let episode ordinal =
    RunEvent.EpisodeEnded(
        ordinal,
        {
            Step = ordinal * 10L
            Environment = 0
            Episode = ordinal
            Return = float ordinal / 3.
            Length = 10
            Terminated = false
        }
    )

let topology ordinal (grown: int[]) (pruned: int[]) active size =
    RunEvent.TopologyChanged(
        ordinal,
        {
            Step = ordinal
            Network = layer.Network
            Layers = [|
                {
                    Stack = layer.Stack
                    Layer = layer.Layer
                    Grown = grown
                    Pruned = pruned
                    Touched = [||]
                    Dormant = 0
                    Active = active
                    Size = size
                    MinScore = nanf
                    MaxScore = 0.5f
                }
            |]
            OutputShift = 0.25
        }
    )
