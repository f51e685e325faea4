module NE.Actors.Tests.Telemetry.TableTests

open System
open System.IO
open Expecto
open NE.Actors.Checkpoints
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
                use file = new CsvFile(path, 0L)
                append file 1L 0.1
                append file 2L nan
                file.Flush()
                Expect.equal (File.ReadAllText path) "step,value\n1,0.1\n2,\n" "content"
                Expect.equal file.Length (FileInfo(path).Length) "length")

        testCase "is cut back to where it was, and goes on under the same columns"
        <| fun _ ->
            inFile (fun path ->
                let length =
                    use file = new CsvFile(path, 0L)
                    append file 1L 1.0
                    file.Flush()
                    let length = file.Length
                    append file 2L 2.0
                    file.Flush()
                    length

                use file = new CsvFile(path, length)
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

                let length =
                    use file = new CsvFile(path, 0L)
                    file.Show [ row 1L 1.0; row 2L 2.0 ]
                    file.Flush()
                    Expect.equal (content ()) "step,value\n1,1\n2,2\n" "shown"
                    Expect.equal file.Length 0L "but not there"
                    append file 1L 1.0
                    file.Show [ row 2L 2.0 ]
                    file.Flush()
                    Expect.equal (content ()) "step,value\n1,1\n2,2\n" "one of them is"
                    Expect.equal file.Length 15L "with the names of the columns"
                    file.Show []
                    file.Flush()
                    Expect.equal (content ()) "step,value\n1,1\n" "taken away"
                    file.Show [ row 2L 2.0 ]
                    file.Flush()
                    file.Length

                use file = new CsvFile(path, length)
                Expect.equal (content ()) "step,value\n1,1\n" "cut back"
                append file 3L 3.0
                file.Flush()
                Expect.equal (content ()) "step,value\n1,1\n3,3\n" "and gone on with")

        testCase "that an older version began keeps its columns and takes those of its values that it has"
        <| fun _ ->
            inFile (fun path ->
                let begun = "step,value\n1,1\n"
                File.WriteAllText(path, begun)
                use file = new CsvFile(path, int64 begun.Length)

                file.Append [|
                    struct ("step", box 2L)
                    struct ("newer", box 5)
                    struct ("value", box 2.0)
                    struct ("newest", box 6)
                |]

                file.Flush()
                Expect.equal (File.ReadAllText path) "step,value\n1,1\n2,2\n" "content"
                Expect.throwsT<InvalidOperationException> (fun () -> file.Append [| struct ("step", box 3L) |]) "a column without a value")

        testCase "that lost rows is refused with the way to go on without them"
        <| fun _ ->
            inFile (fun path ->
                File.WriteAllText(path, "step\n")

                try
                    use _ = new CsvFile(path, 100L)
                    failtest "a table of 5 bytes was taken for one of 100"
                with :? InvalidDataException as problem ->
                    Expect.stringContains problem.Message $"truncate -s 100 {path}" "what to do")

        for name, left, rows in
            [
                "that lost rows", "step,value\n1,1\n2,2", "step,value\n1,1\n"
                "that lost all", "", ""
            ] do
            testCase $"{name} goes on where it was after the advice was taken, with empty lines for what is lost"
            <| fun _ ->
                inFile (fun path ->
                    let length = 40L
                    File.WriteAllText(path, left)

                    using (File.OpenWrite path) (fun truncated -> truncated.SetLength length)

                    for step in 3L .. 4L do
                        use file = new CsvFile(path, length)
                        append file step 3.0
                        file.Flush()
                        let header = if rows = "" then "step,value\n" else ""
                        let blank = String('\n', int length - rows.Length)
                        Expect.equal (File.ReadAllText path) (rows + blank + header + $"{step},3\n") "content")

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
