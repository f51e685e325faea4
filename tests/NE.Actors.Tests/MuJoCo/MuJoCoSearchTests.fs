module NE.Actors.Tests.MuJoCo.MuJoCoSearchTests

open System
open System.IO
open Expecto
open NE.Actors.MuJoCo

let private search explicitPath (variables: (string * string) list) home =
    let table = Map.ofList variables

    MuJoCoSearch(explicitPath, (fun name -> Map.tryFind name table |> Option.toObj), "/no/application", home)

let private inFolder (action: string -> unit) =
    let folder = Directory.CreateTempSubdirectory("ne-search-").FullName

    try
        action folder
    finally
        Directory.Delete(folder, true)

let private touch (parts: string list) =
    let file = Path.Combine(Array.ofList parts)
    Directory.CreateDirectory(nonNull (Path.GetDirectoryName file)) |> ignore
    File.WriteAllText(file, "")
    file

let private paths (search: MuJoCoSearch) =
    search.Candidates() |> Seq.map _.Path |> List.ofSeq

/// Opens with a fake loader: `loadable` gives a version number per path (None: not a MuJoCo).
let private openWith (loadable: (string * int option) list) (search: MuJoCoSearch) =
    let loaded = ResizeArray<string>()

    let load (path: string) =
        loaded.Add path

        match List.tryFindIndex (fun (known, _) -> known = path) loadable with
        | Some index -> nativeint (index + 1)
        | None -> 0n

    let version (handle: nativeint) =
        loadable[int handle - 1] |> snd |> Option.toNullable

    let struct (path, _, _) = MuJoCoLibrary.Open(search.Candidates(), load, version)
    path, List.ofSeq loaded

let private failure (search: MuJoCoSearch) loadable =
    try
        openWith loadable search |> ignore
        failtest "expected MuJoCoUnavailableException"
    with :? MuJoCoUnavailableException as e ->
        e.Message

[<Tests>]
let tests =
    testList "finding libmujoco" [
        test "without settings the program's folder, NE's cache and the system are tried in this order" {
            Expect.equal
                (paths (search null [] "/home/someone"))
                [
                    "/no/application/runtimes/linux-x64/native"
                    "/home/someone/.cache/ne-actors/mujoco-2.2.2/usr/lib/x86_64-linux-gnu"
                    "libmujoco.so.2.2.2"
                    "libmujoco.so"
                ]
                "places"
        }

        test "an explicit path comes before MUJOCO_PATH, and that before MUJOCO_HOME" {
            inFolder (fun folder ->
                let one = touch [ folder; "one"; "libmujoco.so.2.2.2" ]
                let two = touch [ folder; "two"; "libmujoco.so.2.2.2" ]
                let three = touch [ folder; "three"; "lib"; "libmujoco.so" ]
                let variables = [ "MUJOCO_PATH", two; "MUJOCO_HOME", Path.Combine(folder, "three") ]
                Expect.equal (paths (search one variables "/h")) [ one ] "explicit"
                Expect.equal (paths (search null variables "/h")) [ two ] "MUJOCO_PATH"
                Expect.equal (List.head (paths (search null (List.tail variables) "/h"))) three "MUJOCO_HOME, its lib folder")
        }

        test "a folder gives the tested version first and others after it" {
            inFolder (fun folder ->
                let other = touch [ folder; "libmujoco.so.1.0.0" ]
                let right = touch [ folder; "libmujoco.so.2.2.2" ]
                Expect.equal (paths (search folder [] "/h")) [ right; other ] "order")
        }

        test "a mistake in MUJOCO_PATH is not hidden by the system's library" {
            let text =
                failure (search null [ "MUJOCO_PATH", "/no/such/folder" ] "/h") [ "libmujoco.so.2.2.2", Some 222 ]

            Expect.stringContains text "/no/such/folder (MUJOCO_PATH): not there" "the place"
        }

        test "when nothing is found the error names every place and the package" {
            let text = failure (search null [] "/home/someone") []
            Expect.stringContains text "/home/someone/.cache/ne-actors/mujoco-2.2.2" "the cache"
            Expect.stringContains text "libmujoco.so.2.2.2 (the system's libraries): not there" "the system"
            Expect.stringContains text "apt-get install libmujoco2.2.2" "what to do"
            Expect.stringContains text "MUJOCO_PATH" "the other way"
        }

        test "a version that is not known is refused with the version found and those that are" {
            inFolder (fun folder ->
                let file = touch [ folder; "libmujoco.so.3.1.5" ]
                let text = failure (search folder [] "/h") [ file, Some 315 ]
                Expect.stringContains text "is MuJoCo 3.1.5" "found"
                Expect.stringContains text "known are 2.2.2" "known"
                Expect.stringContains text file "the file")
        }

        test "a library of another version in MUJOCO_HOME does not hide the right one in the system" {
            inFolder (fun folder ->
                let other = touch [ folder; "lib"; "libmujoco.so.3.1.6" ]

                let found, _ =
                    openWith [ other, Some 316; "libmujoco.so.2.2.2", Some 222 ] (search null [ "MUJOCO_HOME", folder ] "/h")

                Expect.equal found "libmujoco.so.2.2.2" "the right one")
        }

        test "a file that is no MuJoCo is refused" {
            inFolder (fun folder ->
                let file = touch [ folder; "libmujoco.so" ]
                Expect.stringContains (failure (search file [] "/h") [ file, None ]) "is not a MuJoCo library" "reason")
        }

        test "the helper libraries beside the file are loaded before it" {
            inFolder (fun home ->
                let at name =
                    touch [
                        home
                        ".cache"
                        "ne-actors"
                        "mujoco-2.2.2"
                        "usr"
                        "lib"
                        "x86_64-linux-gnu"
                        name
                    ]

                let helpers = [
                    at "libccd.so.2"
                    at "liblodepng.so.0"
                    at "libqhull_r.so.8.0"
                    at "libtinyxml2.so.9"
                ]

                let library = at "libmujoco.so.2.2.2"
                at "libunrelated.so" |> ignore
                let found, loaded = openWith [ library, Some 222 ] (search null [] home)
                Expect.equal found library "the cache's library"
                Expect.equal loaded (helpers @ [ library ]) "order of loading")
        }

        test "the installed library is loaded, of the tested version, and can no longer be configured" {
            Expect.equal MuJoCoLibrary.Current.Version "2.2.2" "version"

            Expect.throwsT<InvalidOperationException>
                (fun () -> MuJoCoLibrary.Configure(MuJoCoSearch.OfProcess null))
                "too late to configure"
        }
    ]
