/// A process that shows the self-test layouts which are wrong in one place, and prints those that it does not refuse. A process of its own,
/// because what follows a wrong pointer may crash.
module NE.Actors.Tests.MuJoCo.WrongLayouts

open System.Diagnostics
open System.IO
open System.Reflection
open NE.Actors.MuJoCo
open NE.Actors.Tests.DurableSupport
open NE.Actors.Tests.MuJoCo.Layouts

[<Literal>]
let Argument = "--wrong-layouts"

/// The last line of a process that came to its end.
[<Literal>]
let Done = "all shown"

/// Without the sizes of mjModel and mjData, which are for the table's own test, and mjrContext's fields, which need OpenGL.
let private fields = [
    for structure, record in structures reference do
        for field, value in numbers record do
            match structure, field with
            | ("Model" | "Data"), "Size"
            | "Constants", _ -> ()
            | "Context", field when field <> "Size" -> ()
            | _ -> structure, field, value
]

/// Wrong numbers that lead to the same place: mjModel.buffer begins with qpos0, and mjOBJ_XBODY has the names of mjOBJ_BODY.
let private harmless = [ "Model.QPos0 -8"; "Constants.Body 1" ]

let private wrong: (string * MuJoCoLayout) list = [
    for structure, field, value in fields do
        for step in [ -8; 8 ] do
            if value + step >= 0 then
                $"{structure}.{field} {step}", withNumber reference structure field (value + step)

    // Neighbours in the structure, exchanged.
    for structure, record in
        structures reference
        |> List.filter (fun (name, _) -> List.contains name [ "Model"; "Data"; "View" ]) do
        let places = numbers record |> List.filter (fst >> (<>) "Size") |> List.sortBy snd

        for (one, first), (other, second) in List.pairwise places do
            $"{structure}.{one} and {other}", withNumber (withNumber reference structure one second) structure other first

    for field, value in numbers reference.Constants do
        if field <> "Warnings" then
            for step in [ -1; 1 ] do
                $"Constants.{field} {step}", withNumber reference "Constants" field (value + step)

    "SizeBytes 8", changed reference "SizeBytes" 8
]

let run () =
    let sound = MuJoCoLibrary.Current

    for what, layout in wrong |> List.filter (fun (what, _) -> not (List.contains what harmless)) do
        // Seen when the process ends here.
        eprintfn $"{what}"

        try
            MuJoCoCanary.Check(MuJoCoLibrary(sound.Path, sound.Handle, layout, null))
            printfn $"not refused: {what}"
        with
        | :? MuJoCoUnavailableException -> ()
        | other -> printfn $"not refused in plain words: {what}: {other.GetType().Name} {other.Message}"

    MuJoCoCanary.Check sound
    printfn $"{wrong.Length} {Done}"
    0

/// What the process printed, and the last layout that it came to.
let start () : string list * string =
    let own = there System.Environment.ProcessPath

    let arguments =
        if Path.GetFileNameWithoutExtension own = "dotnet" then
            [ "exec"; Assembly.GetExecutingAssembly().Location; Argument ]
        else
            [ Argument ]

    let info =
        ProcessStartInfo(own, arguments, RedirectStandardOutput = true, RedirectStandardError = true)

    use child = there (Process.Start info)
    let last = child.StandardError.ReadToEndAsync()

    let said =
        child.StandardOutput.ReadToEnd().Split('\n', System.StringSplitOptions.RemoveEmptyEntries)

    child.WaitForExit()
    List.ofArray said, last.Result.TrimEnd().Split('\n') |> Array.last
