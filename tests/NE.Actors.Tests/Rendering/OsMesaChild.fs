/// A process that draws one picture with OSMesa: a process draws with one OpenGL library only, and the tests' own draws with EGL.
module NE.Actors.Tests.Rendering.OsMesaChild

open System.Diagnostics
open System.IO
open System.Reflection
open System.Runtime.InteropServices
open NE.Actors.MuJoCo
open NE.Actors.Rendering
open NE.Actors.Tests.DurableSupport
open NE.Actors.Tests.Rendering.Picture
open NE.Model.Tasks

[<Literal>]
let Argument = "--osmesa-picture"

/// As on a machine where libEGL is there but finds no driver: it is loaded, and must not be taken for the library that draws.
let private failingEgl =
    OpenGlKind(
        "EGL without a driver",
        fun () ->
            NativeLibrary.TryLoad "libEGL.so.1" |> ignore
            raise (OpenGlException "no driver")
    )

let run (file: string) =
    use simulator = posed (MuJoCoModel.OfRobot "ant")

    use renderer =
        new Renderer(simulator, 84, 84, Camera.Fixed 0, [ failingEgl; OpenGlKind.OsMesa ])

    File.WriteAllBytes(file, (draw renderer).Bytes)
    printf "%s" renderer.OpenGl
    0

/// What the child said, and its picture.
let drawn (file: string) =
    let own = there System.Environment.ProcessPath
    let arguments = [ Argument; file ]

    let arguments =
        if Path.GetFileNameWithoutExtension own = "dotnet" then
            "exec" :: Assembly.GetExecutingAssembly().Location :: arguments
        else
            arguments

    use child =
        there (Process.Start(ProcessStartInfo(own, arguments, RedirectStandardOutput = true)))

    let said = child.StandardOutput.ReadToEnd()
    child.WaitForExit()
    said, File.ReadAllBytes file
