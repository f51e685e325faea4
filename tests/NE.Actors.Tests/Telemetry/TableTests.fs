module NE.Actors.Tests.Telemetry.TableTests

open System
open System.IO
open Expecto
open NE.Actors.Checkpoints
open NE.Actors.Storage
open NE.Actors.Telemetry

let private inFile (body: string -> unit) =
    let folder = Directory.CreateTempSubdirectory "ne-csv-"

    try
        body (Path.Combine(folder.FullName, "table.csv"))
    finally
        folder.Delete true

let private append (file: CsvFile) (step: int64) (value: float) =
    file.Append [| struct ("step", box step); struct ("value", box value) |]

[<Tests>]
let tests =
    testList "A table" [
        testCase "names its columns once and writes numbers that read back exactly"
        <| fun _ ->
            inFile (fun path ->
                use file = new CsvFile(path, FileMark.Nothing)
                append file 1L 0.1
                append file 2L nan
                file.Flush()
                Expect.equal (File.ReadAllText path) "step,value\n1,0.1\n2,\n" "content"
                Expect.equal file.Mark.Length (FileInfo(path).Length) "length")

        testCase "is cut back to where it was, and goes on under the same columns"
        <| fun _ ->
            inFile (fun path ->
                let mark =
                    use file = new CsvFile(path, FileMark.Nothing)
                    append file 1L 1.0
                    file.Flush()
                    let mark = file.Mark
                    append file 2L 2.0
                    file.Flush()
                    mark

                use file = new CsvFile(path, mark)
                append file 3L 3.0
                file.Flush()
                Expect.equal (File.ReadAllText path) "step,value\n1,1\n3,3\n" "content"

                Expect.throwsT<InvalidOperationException> (fun () -> file.Append [| struct ("other", box 1) |]) "a row with other columns")

        testCase "shows rows that do not belong to it yet, and takes them as they are"
        <| fun _ ->
            inFile (fun path ->
                let row (step: int64) (value: float) : struct (string * obj)[] = [|
                    struct ("step", step :> obj)
                    struct ("value", value :> obj)
                |]

                let content () = File.ReadAllText path

                let mark =
                    use file = new CsvFile(path, FileMark.Nothing)
                    file.Show [ row 1L 1.0; row 2L 2.0 ]
                    file.Flush()
                    Expect.equal (content ()) "step,value\n1,1\n2,2\n" "shown"
                    Expect.equal file.Mark.Length 0L "but not there"
                    append file 1L 1.0
                    file.Show [ row 2L 2.0 ]
                    file.Flush()
                    Expect.equal (content ()) "step,value\n1,1\n2,2\n" "one of them is"
                    Expect.equal file.Mark.Length 15L "with the names of the columns"
                    file.Show []
                    file.Flush()
                    Expect.equal (content ()) "step,value\n1,1\n" "taken away"
                    file.Show [ row 2L 2.0 ]
                    file.Flush()
                    file.Mark

                use file = new CsvFile(path, mark)
                Expect.equal (content ()) "step,value\n1,1\n" "cut back"
                append file 3L 3.0
                file.Flush()
                Expect.equal (content ()) "step,value\n1,1\n3,3\n" "and gone on with")

        testCase "that an older version began keeps its columns and takes those of its values that it has"
        <| fun _ ->
            inFile (fun path ->
                let begun = "step,value\n1,1\n"
                File.WriteAllText(path, begun)
                use file = new CsvFile(path, FileMark(int64 begun.Length))

                file.Append [|
                    struct ("step", box 2L)
                    struct ("newer", box 5)
                    struct ("value", box 2.0)
                    struct ("newest", box 6)
                |]

                file.Flush()
                Expect.equal (File.ReadAllText path) "step,value\n1,1\n2,2\n" "content"
                Expect.throwsT<InvalidOperationException> (fun () -> file.Append [| struct ("step", box 3L) |]) "a column without a value")

        testCase "that lost or changed bytes of the run is refused, with the file and the way on"
        <| fun _ ->
            for damage in
                [
                    (fun path -> File.Delete path)
                    (fun path -> File.WriteAllText(path, "step,value\n1,1\n"))
                    (fun path -> File.WriteAllText(path, "step,value\n1,1\n3,2\n"))
                    (fun path -> File.WriteAllText(path, String('\000', 15 + 4)))
                ] do
                inFile (fun path ->
                    let mark =
                        use file = new CsvFile(path, FileMark.Nothing)
                        append file 1L 1.0
                        append file 2L 2.0
                        file.Flush()
                        file.Mark

                    damage path

                    try
                        use _ = new CsvFile(path, mark)
                        failtest "it was taken for what was written"
                    with :? DamagedCheckpointException as problem ->
                        Expect.equal problem.File path "the file"
                        Expect.stringContains problem.Message "ne repair" "what to do")

        testCase "has the same mark whether it was written at once or gone on with"
        <| fun _ ->
            let marks folder steps =
                inFile (fun path ->
                    let mutable mark = FileMark.Nothing

                    for step in steps do
                        use file = new CsvFile(path, mark)

                        for s in step do
                            append file s 0.5

                        file.Flush()
                        mark <- file.Mark

                    folder mark)

            let mutable whole = FileMark.Nothing
            marks (fun mark -> whole <- mark) [ [ 1L; 2L; 3L ] ]
            marks (fun mark -> Expect.equal mark whole "mark") [ [ 1L ]; [ 2L; 3L ] ]

        testProperty "a bundle gives back its parts"
        <| fun (parts: byte[] list) ->
            let unpacked =
                StateBundle.Unpack(ReadOnlySpan(StateBundle.Pack(Array.ofList parts)), "parts")

            List.ofSeq unpacked = parts

        testCase "a bundle that was cut off, or has other parts than expected, is refused"
        <| fun _ ->
            let bytes = StateBundle.Pack [| [| 1uy; 2uy |]; [| 3uy |] |]

            Expect.throwsT<InvalidDataException>
                (fun () -> StateBundle.Unpack(ReadOnlySpan(bytes, 0, bytes.Length - 1), "parts") |> ignore)
                "cut off"

            Expect.throwsT<InvalidDataException>
                (fun () -> StateBundle.Unpack(ReadOnlySpan bytes, "parts", Nullable 3) |> ignore)
                "another number"
    ]
