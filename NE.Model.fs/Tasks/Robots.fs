/// The robots' models as MJCF text, embedded in this assembly: `Tasks/Robots/*.xml` and, named `dmc/<domain>`, `Tasks/Robots/dmc/*.xml`.
/// What several robots share is in `Tasks/Robots/Pieces/*.xml`; a robot has it where it says `<include file="NAME.xml"/>`, as in MuJoCo.
[<RequireQualifiedAccess>]
module NE.Model.Tasks.Robots

open System.IO
open System.Reflection
open System.Xml.Linq

[<Literal>]
let private Prefix = "robots/"

[<Literal>]
let private PiecePrefix = "robot-pieces/"

let private assembly = Assembly.GetExecutingAssembly()

/// The names of all resources with a prefix, without it, sorted.
let private under (prefix: string) =
    assembly.GetManifestResourceNames()
    |> Array.filter _.StartsWith(prefix)
    |> Array.map _.Substring(prefix.Length)
    |> Array.sort
    |> List.ofArray

/// Names of all embedded robots.
let names: string list = under Prefix |> List.map _.Replace(".xml", "")

let private tryText (resource: string) : string option =
    match assembly.GetManifestResourceStream resource with
    | null -> None
    | stream ->
        use reader = new StreamReader(stream)
        Some(reader.ReadToEnd())

let private includes (element: XElement) : XElement list =
    element.Descendants "include" |> List.ofSeq

/// Puts the content of the named piece where an MJCF text says `<include>`, so that it needs no second file; a text without one stays as it
/// is. `tryPiece` gives a piece's text. Raises `InvalidDataException` for a piece that it does not know, and for a piece with an include.
let internal resolve (tryPiece: string -> string option) (robot: string) (text: string) : string =
    let root = XElement.Parse(text, LoadOptions.PreserveWhitespace)

    let replace (element: XElement) =
        let file =
            match element.Attribute "file" with
            | null -> ""
            | attribute -> attribute.Value

        match tryPiece file |> Option.map XElement.Parse with
        | None ->
            let known = under PiecePrefix |> String.concat ", "
            raise (InvalidDataException $"Robot '{robot}' includes '{file}', which is not a shared piece; known pieces: {known}.")
        | Some piece when not (includes piece).IsEmpty ->
            raise (InvalidDataException $"The piece '{file}' of robot '{robot}' has an include of its own; pieces must be complete.")
        | Some piece -> element.ReplaceWith(piece.Elements())

    match includes root with
    | [] -> text
    | found ->
        found |> List.iter replace
        root.ToString SaveOptions.DisableFormatting

/// The MJCF text of a robot, self-contained. Raises `FileNotFoundException` for a name that is not in `names`.
let read (name: string) : string =
    match tryText $"{Prefix}{name}.xml" with
    | Some text -> resolve (fun file -> tryText $"{PiecePrefix}{file}") name text
    | None ->
        let known = String.concat ", " names
        raise (FileNotFoundException $"There is no robot named '{name}'; known robots: {known}.")
