module NE.Actors.Tests.Fleet.FleetKeyTests

open System.IO
open System.Security.Cryptography.X509Certificates
open System.Threading.Tasks
open Expecto
open NE.Actors.Fleet
open NE.Actors.Tests.Runs.Training

let private refused (file: string) =
    try
        FleetKey.Read file |> ignore
        failtest "it was read"
    with :? InvalidDataException as refusal ->
        refusal.Message

[<Tests>]
let tests =
    testList "A fleet's key" [
        testCase "is made for its owner alone, with its folder, and read as what it was made"
        <| fun _ ->
            inFolder (fun folder ->
                let file = Path.Combine(folder, "inner", "fleet.pem")
                let made = FleetKey.Create file
                Expect.equal (File.GetUnixFileMode file) (UnixFileMode.UserRead ||| UnixFileMode.UserWrite) "0600"
                Expect.isTrue made.Certificate.HasPrivateKey "it can be shown"
                let read = FleetKey.Read file
                Expect.equal read.Name made.Name "name"
                Expect.isTrue (read.Matches made.Certificate) "the same"
                Expect.equal (Directory.GetFiles(Path.Combine(folder, "inner"))) [| file |] "nothing is left over")

        testCase "is never replaced"
        <| fun _ ->
            inFolder (fun folder ->
                let file = Path.Combine(folder, "fleet.pem")
                FleetKey.Create file |> ignore
                let bytes = File.ReadAllBytes file
                Expect.throwsT<IOException> (fun () -> FleetKey.Create file |> ignore) "refused"
                Expect.equal (File.ReadAllBytes file) bytes "as it was"
                Expect.equal (Directory.GetFiles folder) [| file |] "nothing is left over")

        testCase "matches no other key, and none at all"
        <| fun _ ->
            let one, other = FleetKit.newKey (), FleetKit.newKey ()
            Expect.isFalse (one.Matches other.Certificate) "another one"
            Expect.isFalse (one.Matches null) "none"
            Expect.notEqual one.Name other.Name "names"

        testCase "that others can use is refused with what to do"
        <| fun _ ->
            inFolder (fun folder ->
                let file = Path.Combine(folder, "fleet.pem")
                FleetKey.Create file |> ignore

                for other in
                    [
                        UnixFileMode.GroupRead
                        UnixFileMode.GroupWrite
                        UnixFileMode.OtherRead
                        UnixFileMode.OtherWrite
                    ] do
                    File.SetUnixFileMode(file, UnixFileMode.UserRead ||| UnixFileMode.UserWrite ||| other)
                    let message = refused file
                    Expect.stringContains message $"chmod 600 {file}" "what to do"
                    Expect.stringContains message (string other) "who"

                File.SetUnixFileMode(file, UnixFileMode.UserRead)
                FleetKey.Read file |> ignore)

        testCase "that is none is refused: nothing, garbage, half of one, a certificate or a key alone"
        <| fun _ ->
            inFolder (fun folder ->
                let file = Path.Combine(folder, "fleet.pem")
                FleetKey.Create file |> ignore
                let text = File.ReadAllText file
                let middle = text.IndexOf "-----BEGIN PRIVATE KEY"
                Expect.isGreaterThan middle 0 "both are in it"

                for part in
                    [
                        ""
                        "garbage"
                        text.Substring(0, middle / 2)
                        text.Substring(0, middle)
                        text.Substring middle
                        text.Substring(0, text.Length - 100)
                        // The key of another certificate.
                        text.Substring(0, middle)
                        + (nonNull (FleetKit.newKey().Certificate.GetECDsaPrivateKey())).ExportPkcs8PrivateKeyPem()
                    ] do
                    File.WriteAllText(file, part)
                    Expect.stringContains (refused file) $"{file} is not a fleet's key" part)

        testCase "that is not there is not found"
        <| fun _ -> Expect.throwsT<FileNotFoundException> (fun () -> FleetKey.Read "/nonexistent-fleet.pem" |> ignore) "read"

        testCase "that several make at the same time is one"
        <| fun _ ->
            inFolder (fun folder ->
                for round in 1..5 do
                    let file = Path.Combine(folder, string round, "fleet.pem")

                    let made =
                        Task.WhenAll [| for _ in 1..4 -> Task.Run(fun () -> (FleetKey.ReadOrCreate file).Name) |]

                    Expect.hasLength (Array.distinct made.Result) 1 "one key"
                    Expect.equal (Array.head made.Result) (FleetKey.Read file).Name "that of the file")
    ]
