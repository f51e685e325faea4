module NE.Shell.Tests.ReportTests

open System.Collections.Generic
open System.IO
open Expecto
open NE.Actors.MuJoCo
open NE.Model.History
open NE.Shell.Doctor
open NE.Shell.Reports
open NE.Shell.RunFiles
open NE.Shell.Tests.Support

let private layer stack index grown pruned active : LayerChange = {
    Stack = stack
    Layer = index
    Grown = Array.init grown id
    Pruned = Array.init pruned id
    Touched = Array.init (pruned / 2) id
    Dormant = pruned
    Active = active
    Size = 100
    MinScore = nanf
    MaxScore = nanf
}

let private event step network layers : TopologyChanged = {
    Step = step
    Network = network
    Layers = layers
    OutputShift = 0.0
}

// The actor's layer 1 starts with 20 weights, grows 10 and prunes 4, then grows 5.
let private history = [
    event 100L "actor" [| layer 0 1 10 4 26 |]
    event 100L "critic" [| layer 0 1 2 0 12; layer 1 1 3 1 22 |]
    event 200L "actor" [| layer 0 1 5 0 31 |]
]

let private fold at =
    TopologyReport.Fold("a", List<_> history, at)

let private actorLayer (report: TopologyReport) = report.Networks[0].Layers[0]

[<Tests>]
let topology =
    testList "topology reports" [
        test "without a step it is the newest" {
            let report = fold (System.Nullable())
            let actor = actorLayer report
            Expect.equal report.At 200L "step"
            Expect.equal (actor.Active, actor.Grown, actor.Pruned, actor.Touched) (31L, 15L, 4L, 2L) "sums"
            Expect.equal actor.Density 0.31 "density"
            Expect.equal report.Networks[0].Events 2 "events"
        }

        test "a past step folds only what had happened" {
            let actor = actorLayer (fold (System.Nullable 150L))
            Expect.equal (actor.Active, actor.Grown, actor.Pruned) (26L, 10L, 4L) "first event"
            Expect.equal actor.Dormant (System.Nullable 4) "dormant"
        }

        test "before the first event it is what that event found" {
            let report = fold (System.Nullable 99L)
            let actor = actorLayer report
            Expect.equal (actor.Active, actor.Grown, actor.Pruned) (20L, 0L, 0L) "initial"
            Expect.isFalse actor.Dormant.HasValue "nobody counted"
            Expect.isFalse report.Networks[0].LastEvent.HasValue "no event"
        }

        test "the twin critics are two stacks of one network" {
            let critic = (fold (System.Nullable())).Networks[1]
            Expect.equal [ for layer in critic.Layers -> layer.Stack, layer.Active ] [ 0, 12L; 1, 22L ] "stacks"
            Expect.floatClose Accuracy.high critic.Density 0.17 "density of both"
        }

        test "a run without events has no networks" { Expect.isEmpty (TopologyReport.Fold("a", [||], System.Nullable())).Networks "none" }
    ]

[<Tests>]
let rows =
    testList "the newest rows of a CSV file" [
        for name, text, expected in
            [
                "no file", None, []
                "only a heading", Some "step,value\n", [] // the heading itself holds no numbers
                "a row", Some "step,value\n5,1.5\n", [ "step", 5.0; "value", 1.5 ]
                "the last of many", Some "step,value\n5,1.5\n6,2.5\n", [ "step", 6.0; "value", 2.5 ]
                "half a row is not read", Some "step,value\n5,1.5\n6,", [ "step", 5.0; "value", 1.5 ]
                "an empty field is missing", Some "step,value\n5,\n", [ "step", 5.0 ]
            ] do
            test name {
                use folder = new TemporaryFolder()
                let file = folder.File "a.csv"

                text |> Option.iter (fun text -> File.WriteAllText(file, text))

                Expect.equal [ for KeyValue(column, value) in NewestRows.Last file -> column, value ] expected "row"
            }

        test "a long file is read from its end" {
            use folder = new TemporaryFolder()
            let file = folder.File "a.csv"

            File.WriteAllLines(
                file,
                seq {
                    "step,value"
                    yield! seq { for i in 1..50_000 -> $"{i},{i * 2}" }
                }
            )

            Expect.equal (NewestRows.Last file).["value"] 100_000.0 "last"

            let steps = [ for row in NewestRows.Read(file, 3) -> row["step"] ]
            Expect.equal steps [ 49_998.0; 49_999.0; 50_000.0 ] "three rows, the newest last"
            let all = NewestRows.Read(file, 1_000_000)
            Expect.isGreaterThan all.Count 1_000 "as many as the tail holds"
            Expect.equal [ for row in all -> row["value"] ] [ for row in all -> 2.0 * row["step"] ] "no row of which a part is cut off"
        }

        test "all rows of a short file are there" {
            use folder = new TemporaryFolder()
            let file = folder.File "a.csv"
            File.WriteAllText(file, "step,value\n5,1.5\n6,2.5\n")
            Expect.equal [ for row in NewestRows.Read(file, 7) -> row["step"] ] [ 5.0; 6.0 ] "rows"
        }
    ]

[<Tests>]
let doctor =
    testList "doctor" [
        test "says which plugins of MuJoCo are open, and that a broken one is no obstacle" {
            let sensor = MuJoCoPlugin("/opt/mujoco/bin/mujoco_plugin/libsensor.so", null)

            let broken =
                MuJoCoPlugin("/opt/mujoco/bin/mujoco_plugin/libactuator.so", "libactuator.so: invalid ELF header")

            let found (plugins: MuJoCoPlugin list) =
                Examination.Plugins(Array.ofList plugins)

            Expect.equal ((found [ sensor ]).Ok, (found [ sensor ]).Found) (true, "sensor") "open"
            Expect.stringContains (found []).Found "none beside the library" "none"
            let finding = found [ sensor; broken ]
            Expect.equal (finding.Ok, finding.Required) (false, false) "a run can do without"
            Expect.stringContains finding.Found "invalid ELF header" "why"
        }

        test "names what it looked for and leaves nothing behind" {
            use folder = new TemporaryFolder()

            let findings =
                Examination.Examine(folder.File "runs", folder.Path, "http://127.0.0.1:9").Result

            let names = [ for finding in findings -> finding.Name ]

            for name in
                [
                    ".NET"
                    "engine"
                    "libtorch"
                    "libmujoco"
                    "rendering"
                    "cores"
                    "memory"
                    "disk"
                    "database"
                    "ffmpeg"
                    "Seq"
                ] do
                Expect.contains names name "looked for"

            for finding in findings do
                Expect.isTrue (finding.Ok || not (isNull finding.Fix)) $"{finding.Name}: what is missing has a fix"

            let ffmpeg = findings |> Seq.find (fun finding -> finding.Name = "ffmpeg")
            Expect.isFalse (ffmpeg.Ok || ffmpeg.Required) "ffmpeg is absent and not needed"
            Expect.stringContains (string ffmpeg.Fix) "apt-get install ffmpeg" "what brings it"

            let mujoco = findings |> Seq.find (fun finding -> finding.Name = "libmujoco")
            Expect.stringStarts mujoco.Found "2.2.2 (" "version and path"
            Expect.stringContains mujoco.Found "the reference" "how far it is tested"

            let rendering = findings |> Seq.find (fun finding -> finding.Name = "rendering")
            // './ne test' brings what it needs; where nothing could be brought, the names of the packages are all that is left.
            Expect.isFalse rendering.Required "training on states needs no pictures"

            if rendering.Ok then
                Expect.stringContains rendering.Found ", " "kind and renderer"
            else
                Expect.stringContains (string rendering.Fix) "apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri" "packages"

            let seq = findings |> Seq.find (fun finding -> finding.Name = "Seq")
            Expect.isFalse (seq.Ok || seq.Required) "Seq is absent and not needed"
            Expect.isEmpty (Directory.GetFileSystemEntries folder.Path) "nothing left"
        }
    ]
