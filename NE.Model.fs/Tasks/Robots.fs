/// The robots' models as MJCF text, embedded in this assembly (`Tasks/Robots/*.xml`). What several robots share is in
/// `Tasks/Robots/Pieces/*.xml`; a robot has it where it says `<include file="NAME.xml"/>`, as in MuJoCo.
[<RequireQualifiedAccess>]
module NE.Model.Tasks.Robots

open System.IO
open System.Reflection
open System.Text.RegularExpressions

[<Literal>]
let private Prefix = "robots/"

let private assembly = Assembly.GetExecutingAssembly()

/// Names of all embedded robots.
let names: string list =
    assembly.GetManifestResourceNames()
    |> Array.filter _.StartsWith(Prefix)
    |> Array.map (fun name -> name.Substring(Prefix.Length).Replace(".xml", ""))
    |> Array.sort
    |> List.ofArray

let private tryText (resource: string) : string option =
    match assembly.GetManifestResourceStream resource with
    | null -> None
    | stream ->
        use reader = new StreamReader(stream)
        Some(reader.ReadToEnd())

let private includes = Regex "<include file=\"([^\"]+)\"/>"

/// What a piece has inside its root element.
let private piece (file: string) : string =
    match tryText $"pieces/{file}" with
    | None -> raise (FileNotFoundException $"A robot includes {file}, which is not among its pieces.")
    | Some text ->
        let start = text.IndexOf "<mujocoinclude>" + "<mujocoinclude>".Length
        text.Substring(start, text.IndexOf "</mujocoinclude>" - start).Trim()

/// The text with its pieces in place of their includes.
let internal expand (text: string) : string =
    includes.Replace(text, (fun (found: Match) -> piece found.Groups[1].Value))

/// The MJCF text of a robot. Raises `FileNotFoundException` for a name that is not in `names`.
let read (name: string) : string =
    match tryText $"{Prefix}{name}.xml" with
    | None ->
        let known = String.concat ", " names
        raise (FileNotFoundException $"There is no robot named '{name}'; known robots: {known}.")
    | Some text -> expand text
