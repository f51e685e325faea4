/// Learners from pictures that programs of the past stored go on as they did then. Runs from pictures depend on the renderer's bits, so these are
/// the learners alone, on generated rows. See docs/adr/005-golden-runs.md.
module NE.Model.Tests.Agents.Pixels.GoldenLearnerTests

open System
open System.IO
open System.IO.Compression
open System.Security.Cryptography
open Expecto
open NE.Model
open NE.Model.Agents
open NE.Model.Replay
open NE.Model.Tests.Agents.PixelFixture

let private folder =
    Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "../../../data/golden/learners"))

/// Gradient steps before a learner was stored, and those that it takes from there. Neither is a step of an event, and events are in both.
let private stored, more = 53, 35

/// Folder of a format and name of a learner in it: NAME.zip has every key, and every component of the state.
[<NoEquality; NoComparison>]
type private GoldenLearner = {
    Format: string
    Name: string
    /// Key and value, all that the program had.
    Keys: struct (string * string) list
    State: AgentState
    /// SHA-256 in hexadecimal of the rows that it learns from, of each component after all steps, and of the policy then.
    End: (string * string) list
}

let private sha (bytes: byte[]) =
    Convert.ToHexStringLower(SHA256.HashData bytes)

/// Every bit of the rows, and so of their layout.
let private shaOfRows (rows: HeldRows) =
    let source = rows :> ITransitionSource

    let floats =
        Array.concat [ for row in 0L .. rows.Window.Head - 1L -> (source.Row row).ToArray() ]

    let bytes = Array.zeroCreate<byte>(4 * floats.Length)
    Buffer.BlockCopy(floats, 0, bytes, 0, bytes.Length)
    sha bytes

let private endOf (learner: ILearner) = [
    "rows", shaOfRows noise.Value
    for struct (name, bytes) in learner.Save().Components do
        name, sha bytes
    "policy", sha (learner.Policy().ToBytes())
]

let private settingsOf (keys: struct (string * string) list) =
    match Settings.apply keys Settings.ofOldRuns with
    | Ok settings -> fst (Settings.resolve settings)
    | Error errors -> failtestf "%A" errors

let private learn (learner: ILearner) count = stepOn noise.Value learner count

let private names = [
    "drq-ne", { drq with Ne.ReviewWindow = Is 40L }, [ struct ("run.method", "ne") ]
    "drqv2-redo-layer-norm",
    { drqV2 with Ne.ReviewWindow = Is 40L },
    [
        struct ("run.method", "redo+layer-norm")
        struct ("redo.every", "10")
        struct ("drqv2.noiseSteps", "200")
        struct ("learner.startSteps", "0")
    ]
]

/// Writes the folder of this program.
let private write (format: string) =
    let target = Directory.CreateDirectory(Path.Combine(folder, format)).FullName

    let digests = [
        for name, settings, keys in names do
            let keys = Settings.values settings @ keys
            let settings = settingsOf keys
            use learner = createPixels settings
            learn learner stored

            use zip = ZipFile.Open(Path.Combine(target, name + ".zip"), ZipArchiveMode.Create)

            let add (entry: string) (bytes: byte[]) =
                use stream = zip.CreateEntry(entry, CompressionLevel.SmallestSize).Open()
                stream.Write(bytes, 0, bytes.Length)

            [ for struct (key, value) in Settings.values settings -> $"{key} {value}" ]
            |> String.concat "\n"
            |> Text.Encoding.UTF8.GetBytes
            |> add "keys"

            for struct (component', bytes) in learner.Save().Components do
                add component' bytes

            learn learner more

            for part, digest in endOf learner do
                $"{name} {part} {digest}"
    ]

    File.WriteAllLines(Path.Combine(target, "digests.txt"), digests)

let private read () : GoldenLearner list = [
    for format in Directory.GetDirectories folder |> Array.sort do
        let digests =
            File.ReadAllLines(Path.Combine(format, "digests.txt"))
            |> Array.map _.Split(' ')
            |> Array.groupBy Array.head

        for name, lines in digests do
            use zip = ZipFile.OpenRead(Path.Combine(format, name + ".zip"))

            let entries = [
                for entry in zip.Entries do
                    use stream = entry.Open()
                    use bytes = new MemoryStream()
                    stream.CopyTo bytes
                    struct (entry.Name, bytes.ToArray())
            ]

            let state = AgentState entries

            {
                Format = string (Path.GetFileName format)
                Name = name
                Keys = [
                    for line in Text.Encoding.UTF8.GetString(state.Find "keys").Split('\n') do
                        let space = line.IndexOf ' '
                        struct (line[.. space - 1], line[space + 1 ..])
                ]
                State = state
                End = [ for line in lines -> line[1], line[2] ]
            }
]

// A new folder, called after this program.
match Environment.GetEnvironmentVariable "NE_WRITE_GOLDEN_LEARNERS" with
| null
| "" -> ()
| format -> write format

let private learners = read ()

[<Tests>]
let tests =
    testList "golden learners" [
        for learner in learners do
            test $"{learner.Format}: {learner.Name}, stored by that program, goes on as it did there" {
                use restored = createPixels (settingsOf learner.Keys)
                restored.Restore learner.State
                Expect.equal restored.GradientStep (int64 stored) "gradient steps"
                learn restored more
                Expect.equal (endOf restored) learner.End "the end"
            }

        // A key that an older format lacks has today's default in a new learner, so this is asked of the newest alone.
        for learner in learners |> List.groupBy _.Name |> List.map (snd >> List.last) do
            test $"{learner.Format}: {learner.Name}, begun anew, comes to what that program stored" {
                use begun = createPixels (settingsOf learner.Keys)
                learn begun stored

                let other = [
                    for struct (name, bytes) in begun.Save().Components do
                        if bytes <> learner.State.Find name then
                            name
                ]

                Expect.equal other [] "components that are not as they were"
            }

        test "every learner from pictures is there" {
            let kinds =
                learners |> List.map (fun learner -> (settingsOf learner.Keys).Run.Learner)

            for _, kind in LearnerKind.names do
                if kind.SeesPixels then
                    Expect.contains kinds kind "learner"
        }
    ]
