module NE.Actors.Tests.Storage.DurableFileTests

open System.IO
open System.Threading
open System.Threading.Tasks
open Expecto
open NE.Actors.Storage
open NE.Actors.Tests.DurableSupport

let private ownersAlone = UnixFileMode.UserRead ||| UnixFileMode.UserWrite

/// What several do with the same file at the same time, which of them succeeded, and what is in it then.
let private race (file: string) (make: int -> bool) =
    use start = new Barrier(4)

    let makers = [|
        for maker in 0..3 ->
            Task.Factory.StartNew(
                (fun () ->
                    start.SignalAndWait()
                    make maker),
                TaskCreationOptions.LongRunning
            )
    |]

    Task.WaitAll(makers |> Array.map (fun maker -> maker :> Task))
    Seq.toList (Seq.indexed makers |> Seq.filter (fun (_, maker) -> maker.Result) |> Seq.map fst), File.ReadAllText file

[<Tests>]
let tests =
    testList "durable files" [
        testCase "of several who make one at the same time one does, and it stays theirs"
        <| fun () ->
            use scratch = new Scratch()

            for round in 1..200 do
                let file = scratch.Sub $"made-{round}"

                match race file (fun maker -> DurableFile.TryCreateText(file, string maker, ownersAlone)) with
                | [ winner ], content -> Expect.equal content (string winner) "what the one wrote"
                | winners, _ -> failtest $"{winners.Length} made {file}"

            Expect.hasLength (Directory.GetFiles scratch.Path) 200 "nothing is left beside them"

        testCase "one that is there is not written over by whoever did not ask for that"
        <| fun () ->
            use scratch = new Scratch()
            let file = scratch.Sub "policy.onnx"

            let write overwrite (content: string) =
                DurableFile.Write(file, overwrite, (fun stream -> stream.Write(System.Text.Encoding.UTF8.GetBytes content)))

            write false "first"

            let error =
                Expect.throwsC (fun () -> write false "second") (fun error -> error.Message)

            Expect.equal error $"{file} is there already" "it says which"
            Expect.equal (File.ReadAllText file) "first" "it stayed"
            write true "third"
            Expect.equal (File.ReadAllText file) "third" "it was asked for"
            Expect.hasLength (Directory.GetFiles scratch.Path) 1 "nothing is left beside it"
    ]
