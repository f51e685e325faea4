module NE.Actors.Tests.Telemetry.EventFileTests

open System
open System.IO
open Expecto
open NE.Actors.Telemetry
open NE.Tests.EventsOfRun

let private inFile (body: string -> unit) =
    let folder = Directory.CreateTempSubdirectory "ne-events-"

    try
        body (Path.Combine(folder.FullName, "tensorboard", "events.out.tfevents.0000000000.ne"))
    finally
        folder.Delete true

let private append (file: EventFile) step (values: (string * float) list) =
    file.Append(step, values |> List.map (fun (tag, value) -> struct (tag, value)))

/// Appends, flushes, and returns the length.
let private write path length steps =
    use file = new EventFile(path, length)
    Expect.isNull file.Problem "nothing is wrong with it"

    for step in steps do
        append file step [ "charts/episodic_return", float step; "plasticity/actor_fau", 0.5 ]

    file.Flush()
    file.Mark.Length

let private steps path =
    logged path |> List.map (fun struct (_, step, _) -> step) |> List.distinct

[<Tests>]
let tests =
    testList "A TensorBoard event file" [
        test "has whole records of the values, under their tags and steps" {
            inFile (fun path ->
                let length = write path 0L [ 1000L; 2000L ]
                Expect.equal length (FileInfo(path).Length) "length"

                Expect.equal
                    (logged path)
                    [
                        struct ("charts/episodic_return", 1000L, 1000.0f)
                        struct ("plasticity/actor_fau", 1000L, 0.5f)
                        struct ("charts/episodic_return", 2000L, 2000.0f)
                        struct ("plasticity/actor_fau", 2000L, 0.5f)
                    ]
                    "values")
        }

        test "leaves out what has no value, and a step that the tag has passed" {
            inFile (fun path ->
                use file = new EventFile(path, 0L)
                append file 5L [ "a", 1.0; "b", nan ]
                append file 5L [ "a", 2.0; "b", 2.0 ]
                append file 4L [ "a", 3.0; "b", 3.0 ]
                append file 6L [ "a", infinity ]
                file.Flush()

                Expect.equal (logged path) [ struct ("a", 5L, 1.0f); struct ("b", 5L, 2.0f); struct ("a", 6L, infinityf) ] "values")
        }

        test "is cut back to a checkpoint and goes on from there, without doubling a step" {
            inFile (fun path ->
                let committed = write path 0L [ 1L; 2L ]
                write path committed [ 3L; 4L ] |> ignore
                // A crash in the middle of a record.
                File.AppendAllText(path, "torn")
                write path committed [ 2L; 3L; 5L ] |> ignore
                Expect.equal (steps path) [ 1L; 2L; 3L; 5L ] "steps")
        }

        for what, harm, reason in
            [
                "is missing", File.Delete, "is missing"
                "is shorter than its checkpoint", (fun path -> File.WriteAllText(path, "short")), "should have at least"
                "was changed",
                (fun path ->
                    let bytes = File.ReadAllBytes path
                    bytes[60] <- bytes[60] ^^^ 1uy
                    File.WriteAllBytes(path, bytes)),
                "is damaged"
                "has the frames of something else", (fun path -> File.WriteAllBytes(path, Array.create 4096 255uy)), "is damaged"
            ] do
            test $"that {what} begins anew and says why" {
                inFile (fun path ->
                    let committed = write path 0L [ 1L; 2L ]
                    harm path

                    do
                        use file = new EventFile(path, committed)
                        Expect.stringContains (string file.Problem) reason "what was found"
                        Expect.stringContains (string file.Problem) path "where"
                        append file 3L [ "a", 1.0 ]
                        file.Flush()

                    Expect.equal (logged path) [ struct ("a", 3L, 1.0f) ] "what it has now")
            }

        test "that lies where a file cannot be is an error" {
            inFile (fun path ->
                File.WriteAllText(Path.GetDirectoryName path |> string, "a file")
                Expect.throwsT<IOException> (fun () -> (new EventFile(path, 0L)).Dispose()) "the folder is a file")
        }
    ]
