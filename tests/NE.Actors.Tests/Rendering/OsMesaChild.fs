/// A process in which libEGL finds no driver. It draws with OSMesa, or says that it cannot draw. The tests' own process draws with EGL, and
/// a process draws with one OpenGL library only.
module NE.Actors.Tests.Rendering.OsMesaChild

open System.Diagnostics
open System.IO
open System.Reflection
open NE.Actors.MuJoCo
open NE.Actors.Rendering
open NE.Actors.Tests.DurableSupport
open NE.Actors.Tests.Rendering.Picture
open NE.Model.Tasks

[<Literal>]
let Argument = "--osmesa-picture"

let run (file: string) =
    use simulator = posed (MuJoCoModel.OfRobot "ant")

    try
        use renderer = new Renderer(simulator, 84, 84, Camera.Fixed 0)
        File.WriteAllBytes(file, (draw renderer).Bytes)
        printf "%s" renderer.OpenGl
        0
    with :? RendererUnavailableException as error ->
        printf "%s" error.Message
        1

/// The child's exit code and what it said.
let start (file: string) =
    let own = there System.Environment.ProcessPath
    let arguments = [ Argument; file ]

    let arguments =
        if Path.GetFileNameWithoutExtension own = "dotnet" then
            "exec" :: Assembly.GetExecutingAssembly().Location :: arguments
        else
            arguments

    let info = ProcessStartInfo(own, arguments, RedirectStandardOutput = true)
    // Where libEGL looks for the drivers' files.
    info.Environment["__EGL_VENDOR_LIBRARY_DIRS"] <- "/nonexistent"
    info.Environment.Remove "__EGL_VENDOR_LIBRARY_FILENAMES" |> ignore
    use child = there (Process.Start info)
    let said = child.StandardOutput.ReadToEnd()
    child.WaitForExit()
    child.ExitCode, said
