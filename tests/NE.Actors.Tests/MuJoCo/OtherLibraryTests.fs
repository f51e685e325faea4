/// Libraries that say they are MuJoCo of other versions, made with gcc; and what lies beside a library.
module NE.Actors.Tests.MuJoCo.OtherLibraryTests

open System
open System.Diagnostics
open System.IO
open System.Runtime.InteropServices
open Expecto
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.MuJoCo
open NE.Actors.Tests.DurableSupport
open NE.Actors.Tests.MuJoCo.Layouts
open NE.Model
open NE.Model.Networks
open NE.Model.Replay

/// Compiles C to a shared library; skips the test where there is no gcc.
let private compiled (text: string) (file: string) =
    Directory.CreateDirectory(there (Path.GetDirectoryName file)) |> ignore
    let source = file + ".c"
    File.WriteAllText(source, text)

    try
        use gcc = there (Process.Start("gcc", [ "-shared"; "-fPIC"; "-o"; file; source ]))
        gcc.WaitForExit()
        Expect.equal gcc.ExitCode 0 "gcc"
    with :? ComponentModel.Win32Exception ->
        skiptest "gcc is not installed, so libraries of other versions were NOT tested"

    File.Delete source
    file

let private saying version =
    compiled $"int mj_version(void) {{ return {version}; }}"

let private openAt (variable: string) (path: string) =
    let search =
        MuJoCoSearch(null, (fun name -> (if name = variable then path else null)), "/no/application", "/no/home")

    let load (file: string) =
        let mutable handle = 0n
        // The system's own is not asked.
        if Path.IsPathRooted file && NativeLibrary.TryLoad(file, &handle) then
            handle
        else
            0n

    MuJoCoLibrary.Open(search.Candidates(), load, (fun handle -> MuJoCoLibrary.ReadVersion handle))

let private refusal (action: unit -> unit) =
    try
        action ()
        failtest "expected MuJoCoUnavailableException"
    with :? MuJoCoUnavailableException as e ->
        e.Message

[<Tests>]
let tests =
    testList "another libmujoco" [
        test "MUJOCO_PATH may name any version that is known" {
            use scratch = new Scratch()
            let file = saying 337 (scratch.Sub "mujoco-3.3.7/lib/libmujoco.so.3.3.7")

            let struct (path, handle, version) =
                openAt "MUJOCO_PATH" (scratch.Sub "mujoco-3.3.7")

            Expect.equal (path, version) (file, 337) "found in the archive's lib folder"

            let message = refusal (fun () -> MuJoCoHandlers.Install(path, handle))
            Expect.stringContains message "has no mju_user_error" "it would end the process at its first error"
        }

        test "a version that is not known is refused with its name, those that are, and what to do" {
            use scratch = new Scratch()
            let file = saying 999 (scratch.Sub "libmujoco.so")
            let message = refusal (fun () -> openAt "MUJOCO_PATH" file |> ignore)
            Expect.stringContains message "is MuJoCo 9.9.9 (mj_version() says 999), whose memory layout is not known" "which"
            Expect.stringContains message "known are 2.2.2, 2.3.7, 3.0.1, 3.1.6, 3.2.7, 3.3.7, 3.6.0, 3.9.0, 3.12.0" "which are known"
            Expect.stringContains message "set MUJOCO_PATH" "what to do"
            Expect.stringContains message "apt-get install libmujoco2.2.2" "the other way"

            let newer = saying 3006001 (scratch.Sub "newer/libmujoco.so")
            Expect.stringContains (refusal (fun () -> openAt "MUJOCO_PATH" newer |> ignore)) "is MuJoCo 3.6.1" "numbers of today"
        }

        test "nothing but MUJOCO_PATH makes a run take another version" {
            use scratch = new Scratch()
            saying 337 (scratch.Sub "lib/libmujoco.so") |> ignore
            let message = refusal (fun () -> openAt "MUJOCO_HOME" scratch.Path |> ignore)
            Expect.stringContains message "another version than 2.2.2 is taken only when MUJOCO_PATH names it" "why"
        }

        test "plugins are found beside the library and where archives have them" {
            use scratch = new Scratch()

            let touch (name: string) =
                let file = scratch.Sub name
                Directory.CreateDirectory(there (Path.GetDirectoryName file)) |> ignore
                File.WriteAllText(file, "")
                file

            let library = touch "mujoco/lib/libmujoco.so.3.3.7"
            let own = touch "mujoco/lib/libsensor.so"
            touch "mujoco/lib/libother.so" |> ignore
            let archive = touch "mujoco/bin/mujoco_plugin/libelasticity.so"
            touch "mujoco/bin/mujoco_plugin/libsensor.so" |> ignore
            touch "mujoco/bin/mujoco_plugin/readme.txt" |> ignore
            let decoder = touch "mujoco/lib/mujoco_plugin/libstl_decoder.so"
            let python = touch "mujoco/lib/plugin/libactuator.so"
            let files file = [ for plugin in MuJoCoPlugins.Beside file -> plugin.Path ]
            Expect.equal (files library) [ own; decoder; python; archive ] "each once, the library's own folder first"
            let link = scratch.Sub "libmujoco.so"
            File.CreateSymbolicLink(link, library) |> ignore
            Expect.equal (files link) [ own; decoder; python; archive ] "where the link leads"
            Expect.equal (files "libmujoco.so") [] "the linker does not say where it found it"
        }

        test "plugins that can be opened are, and one that cannot is told and hinders nothing" {
            use scratch = new Scratch()
            let library = compiled "int mujoco;" (scratch.Sub "lib/libmujoco.so")
            let good = compiled "int elasticity;" (scratch.Sub "lib/libelasticity.so")
            File.WriteAllText(scratch.Sub "lib/libactuator.so", "not a library")

            match List.ofSeq (MuJoCoPlugins.Open library) with
            | [ broken; whole ] ->
                Expect.equal (broken.Name, whole.Name) ("actuator", "elasticity") "names"
                Expect.stringContains (there broken.Problem) "libactuator.so" "which"
                Expect.isFalse ((there broken.Problem).Contains '\n') "one line"
                Expect.equal (whole.Path, whole.Problem) (good, null) "opened"
            | others -> failtest $"{others}"
        }

        test "a model that the library does not understand is told what may" {
            let three =
                MuJoCoLayouts.Known |> Seq.find (fun layout -> layout.VersionName = "3.3.7")

            let advice text layout (plugins: MuJoCoPlugin list) =
                NewerModel.Advice(text, layout, Array.ofList plugins)

            let unknown =
                "XML Error: Schema violation: unrecognized element. Element 'flex', line 3"

            Expect.stringContains (advice unknown reference []) "let MUJOCO_PATH name a library of MuJoCo 3" "from 2.2.2"

            Expect.stringContains
                (advice unknown three [])
                "The library here is MuJoCo 3.3.7, which does not know the element <flex>"
                "version"

            Expect.stringContains (advice unknown three []) "MUJOCO_PATH may name another one" "from 3.3.7"
            let plugin = "Error: unknown plugin 'mujoco.pid'"
            Expect.stringContains (advice plugin three []) "that are open: none" "none there"

            Expect.stringContains
                (advice plugin three [
                    MuJoCoPlugin("/a/libsensor.so", null)
                    MuJoCoPlugin("/a/libactuator.so", "damaged")
                ])
                "that are open: sensor; not to be opened: damaged"
                "some there"

            Expect.equal (advice "Error: mass must be positive" three []) "" "another mistake"
        }

        test "an episode of another version is not continued, unless the next one may begin" {
            let settings = fst (Settings.resolve Settings.defaults)
            use environment = EnvironmentFactory.Create "Hopper-v4"
            let worker = EnvironmentWorker(environment, settings, 0, 1000L)
            worker.Begin 4L

            let block =
                TransitionBlock(0, TransitionRows.create (ObservationForm.Vector 11) 3, 5)

            let layout = BlockLayout.Create(1, [ 11; 8; 3 ])

            let policy =
                Policy.OfBlock(layout, ReadOnlySpan(Array.zeroCreate<float32> layout.Length), 1.0f, 0L)

            worker.Step(StepRound(0L, 1, 5, policy, block))
            let state = worker.Save()
            let magic = state.AsSpan().IndexOf(ReadOnlySpan "NEPS"B)
            // Behind magic and format.
            BitConverter.TryWriteBytes(Span<byte>(state, magic + 8, 4), 337) |> ignore

            try
                worker.Restore(ReadOnlySpan state)
                failtest "expected OtherMuJoCoException"
            with :? OtherMuJoCoException as e ->
                Expect.stringContains e.Message "is of MuJoCo 3.3.7, and the library here is 2.2.2" "both"

            worker.Restore(ReadOnlySpan state, true)
            Expect.equal worker.Episode 5L "the next one"
            let begun = worker.Save()
            worker.Restore(ReadOnlySpan begun, true)
            Expect.equal (worker.Episode, worker.Save()) (5L, begun) "an episode of this library goes on"
        }

        test "of a task file, only the compiled model may be another one" {
            let print (text: string) (model: string) =
                EnvironmentFingerprint.Of(
                    struct ("the task file", Text.Encoding.UTF8.GetBytes text),
                    struct (EnvironmentFingerprint.CompiledModel, Text.Encoding.UTF8.GetBytes model)
                )

            let require stored found onOther =
                EnvironmentFingerprint.Require("arm.yaml", stored, found, onOther)

            require (print "a" "2.2.2") (print "a" "3.3.7") true

            let refused stored found onOther =
                try
                    require stored found onOther
                    failtest "expected EnvironmentUnusableException"
                with :? EnvironmentUnusableException as e ->
                    e.Message

            Expect.stringContains
                (refused (print "a" "2.2.2") (print "a" "3.3.7") false)
                "another version of MuJoCo compiles another one"
                "why it may be another one"

            Expect.stringContains (refused (print "a" "2.2.2") (print "b" "3.3.7") true) "changed since: the task file" "what may not"
        }
    ]
