/// The robots' models as MJCF text, embedded in this assembly (`Tasks/Robots/*.xml`).
[<RequireQualifiedAccess>]
module NE.Model.Tasks.Robots

open System.IO
open System.Reflection

[<Literal>]
let private Prefix = "robots/"

/// Names of all embedded robots.
let names: string list =
    Assembly.GetExecutingAssembly().GetManifestResourceNames()
    |> Array.filter _.StartsWith(Prefix)
    |> Array.map (fun name -> name.Substring(Prefix.Length).Replace(".xml", ""))
    |> Array.sort
    |> List.ofArray

/// The MJCF text of a robot. Raises `FileNotFoundException` for a name that is not in `names`.
let read (name: string) : string =
    match Assembly.GetExecutingAssembly().GetManifestResourceStream($"{Prefix}{name}.xml") with
    | null ->
        let known = String.concat ", " names
        raise (FileNotFoundException $"There is no robot named '{name}'; known robots: {known}.")
    | stream ->
        use reader = new StreamReader(stream)
        reader.ReadToEnd()
