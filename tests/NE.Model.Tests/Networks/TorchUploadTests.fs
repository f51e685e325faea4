module NE.Model.Tests.Networks.TorchUploadTests

open System
open Expecto
open FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.Torch
open TorchSharp

let private onUpload body =
    LibTorch.ensureLoaded ()
    let device = TorchDevice torch.CPU
    use target = torch.zeros ([| 2L; 3L |], dtype = torch.float32)
    use upload = new TorchUpload(target, device)

    let send (value: float32) =
        let buffer = upload.Begin()
        Span<float32>(NativePtr.toVoidPtr buffer, 6).Fill value
        upload.Send()
        NativePtr.toNativeInt buffer

    body device target send

[<Tests>]
let tests =
    testList "Uploads to a device" [
        testCase "what was filled in last is on the device" (fun () ->
            onUpload (fun _ target send ->
                for value in [ 1.0f; -2.5f; 7.0f; 8.0f; 9.0f ] do
                    send value |> ignore
                    Expect.equal (target.data<float32>().ToArray()) (Array.create 6 value) "all of it"))

        testCase "a buffer is not written while its copy may be under way" (fun () ->
            onUpload (fun device _ send ->
                let first, second = send 1.0f, send 2.0f
                Expect.notEqual second first "two buffers in turn"
                Expect.equal device.Waits 0L "both were free"
                Expect.equal (send 3.0f) first "the first again"
                Expect.equal device.Waits 1L "after a wait for the device"
                // The wait was after the second was sent, too.
                send 4.0f |> ignore
                Expect.equal device.Waits 1L "so its copy is done"))

        testCase "a download in between is wait enough" (fun () ->
            onUpload (fun device _ send ->
                for step in 1L .. 6L do
                    send 1.0f |> ignore
                    device.Waited()
                    Expect.equal device.Waits step "nothing but the downloads"))
    ]
