module NE.Model.Tests.Networks.LibTorchTests

open System
open System.IO
open System.Text
open Expecto
open NE.Model.Networks
open NE.Model.Networks.Torch

let private inTemporaryFolder (action: string -> unit) =
    let folder = Path.Combine(Path.GetTempPath(), $"ne-libtorch-{Guid.NewGuid():N}")
    Directory.CreateDirectory folder |> ignore

    try
        action folder
    finally
        Directory.Delete(folder, true)

let private published () =
    match LibTorch.publishedWrapper () with
    | Some path -> path
    | None -> failtest "TorchSharp's native wrapper is neither beside the tests nor in the package cache"

let private replace (text: string) (by: string) (bytes: byte[]) =
    let copy = Array.copy bytes
    let at = bytes.AsSpan().IndexOf(ReadOnlySpan(Encoding.ASCII.GetBytes text))
    Expect.isGreaterThanOrEqual at 0 $"{text} is in the file"
    Encoding.ASCII.GetBytes(by).CopyTo(copy, at)
    copy

let private isUnexpected outcome =
    match outcome with
    | ElfPatch.Unexpected _ -> true
    | ElfPatch.NotNeeded
    | ElfPatch.Patched _ -> false

[<Tests>]
let tests =
    testList "LibTorch" [
        test "libtorch loads here and says what it is" {
            let description = LibTorch.describe ()
            Expect.isTrue (File.Exists description.WrapperPath) "the wrapper's path exists"
            Expect.stringStarts description.TorchSharpVersion "0.107" "the version the loader was written for"
        }

        test "a device that is not there is refused before anything is made, with what to do" {
            for act in
                [
                    fun device -> (TorchEngine.Create(device, 1) :> IDisposable).Dispose()
                    fun device -> TorchEngine.Describe device |> ignore
                ] do
                Expect.throwsC (fun () -> act "cuda:99") (fun problem ->
                    Expect.isTrue (problem :? LibTorch.LibTorchException) "kind"
                    Expect.stringContains problem.Message "compute.device is cuda:99" "the device"
                    Expect.stringContains problem.Message "CUDA device" "what there is")

                Expect.throwsT<ArgumentException> (fun () -> act "gpu") "not a device"
        }

        test "an engine is described by what it computes with" {
            Expect.equal (TorchEngine.Describe "cpu") "torch cpu" "CPU"

            let automatic =
                match LibTorch.cudaDevices () with
                | [] -> "torch cpu"
                | first :: _ -> $"torch {first}"

            Expect.equal (TorchEngine.Describe "auto") automatic "auto"
        }

        test "the published wrapper is patched without changing its length, and the copy needs no further patch" {
            let original = File.ReadAllBytes(published ())

            match ElfPatch.apply original with
            | ElfPatch.Patched copy ->
                Expect.equal copy.Length original.Length "the length stays"

                let changed =
                    Seq.zip original copy |> Seq.filter (fun (a, b) -> a <> b) |> Seq.length

                Expect.isLessThan changed 48 "only two table entries and one name differ"
                Expect.equal (ElfPatch.apply copy) ElfPatch.NotNeeded "the copy asks for nothing new"
            | outcome -> failtest $"expected a patch, found {outcome.GetType().Name}"
        }

        test "a file that is not an ELF library is refused" {
            Expect.isTrue (isUnexpected (ElfPatch.apply [||])) "empty"
            Expect.isTrue (isUnexpected (ElfPatch.apply (Encoding.ASCII.GetBytes(String('x', 4096))))) "text"
        }

        test "a library cut short is refused" {
            let original = File.ReadAllBytes(published ())
            Expect.isTrue (isUnexpected (ElfPatch.apply (Array.truncate (original.Length / 2) original))) "half a file"
        }

        test "a library that needs the new runtime for another symbol is refused" {
            let doctored =
                File.ReadAllBytes(published ())
                |> replace "_ZSt21ios_base_library_initv" "_ZSt21ios_base_library_iniiv"

            Expect.isTrue (isUnexpected (ElfPatch.apply doctored)) "an unknown symbol"
        }

        test "the patched copy is the owner's alone, is made once, and leaves the original as it is" {
            inTemporaryFolder (fun cache ->
                let wrapper = published ()
                let before = File.ReadAllBytes wrapper
                let copy = LibTorch.patchedCopy cache wrapper
                let written = File.GetLastWriteTimeUtc copy
                let folder = nonNull (Path.GetDirectoryName copy)

                let ownerOnly =
                    UnixFileMode.UserRead ||| UnixFileMode.UserWrite ||| UnixFileMode.UserExecute

                Expect.equal (File.GetUnixFileMode folder) ownerOnly "mode 0700"
                Expect.equal (Directory.GetFiles folder) [| copy |] "no temporary file is left"
                Expect.stringContains folder "torchsharp-" "named by the source's hash"
                Expect.equal (LibTorch.patchedCopy cache wrapper) copy "the same copy again"
                Expect.equal (File.GetLastWriteTimeUtc copy) written "not written twice"
                Expect.equal (File.ReadAllBytes wrapper) before "the package cache's file is untouched")
        }

        test "a cache folder that cannot be written gives one clear error" {
            inTemporaryFolder (fun folder ->
                // A file where a folder is needed: fails for root too.
                let cache = Path.Combine(folder, "cache")
                File.WriteAllText(cache, "")

                let result =
                    try
                        Ok(LibTorch.patchedCopy cache (published ()))
                    with LibTorch.LibTorchException message ->
                        Error message

                match result with
                | Ok _ -> failtest "a copy inside a file"
                | Error message -> Expect.stringContains message "XDG_CACHE_HOME" "says what to do")
        }

        test "a wrong file gives one clear error and no copy" {
            inTemporaryFolder (fun cache ->
                let wrong = Path.Combine(cache, "libLibTorchSharp.so")
                File.WriteAllText(wrong, "not a library at all, but long enough to hold a header of sixty-four bytes")

                match
                    (try
                        Ok(LibTorch.patchedCopy cache wrong)
                     with LibTorch.LibTorchException message ->
                         Error message)
                with
                | Ok _ -> failtest "a wrong file was accepted"
                | Error message ->
                    Expect.stringContains message wrong "the message names the file"
                    Expect.stringContains message "not a 64-bit" "the message says what is wrong"
                    Expect.isFalse (Directory.Exists(Path.Combine(cache, "ne-actors"))) "nothing was written")
        }
    ]
