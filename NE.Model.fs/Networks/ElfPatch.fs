/// Lets TorchSharp's native wrapper load with a C++ runtime older than GCC 13 (Debian 12, Ubuntu 22.04, RHEL 9).
///
/// The published libLibTorchSharp.so needs one symbol of GLIBCXX_3.4.32: std::ios_base_library_init(), a function without argument or
/// result that makes sure std::cout exists. Older runtimes do that job in the constructor std::ios_base::Init::Init(), which ignores
/// its `this`. The patch works on the bytes of a copy: the symbol's name becomes the constructor's, and the version it asks for
/// becomes GLIBCXX_3.4, the oldest one. Nothing else changes, and the length stays.
module NE.Model.Networks.ElfPatch

open System
open System.Buffers.Binary
open System.Text

/// Result of looking at a library.
type Outcome =
    /// The library does not ask for the newer runtime.
    | NotNeeded
    /// The changed copy of the bytes.
    | Patched of byte[]
    /// Not the file we know; the sentence says in what.
    | Unexpected of string

[<Literal>]
let private NewVersion = "GLIBCXX_3.4.32"

[<Literal>]
let private OldVersion = "GLIBCXX_3.4"

[<Literal>]
let private NewSymbol = "_ZSt21ios_base_library_initv"

[<Literal>]
let private OldSymbol = "_ZNSt8ios_base4InitC1Ev"

/// The tables of an ELF file that name what it imports.
type private Tables = {
    /// Offset and size of the dynamic symbols (24 bytes each).
    Symbols: struct (int * int)
    /// Offset and size of the names.
    Names: struct (int * int)
    /// Offset of the 2-byte version index of each symbol.
    Versions: int
    /// Offset and number of the "needed versions" entries.
    Needs: struct (int * int)
}

exception private Malformed of string

let private u16 (file: byte[]) offset =
    BinaryPrimitives.ReadUInt16LittleEndian(ReadOnlySpan(file, offset, 2)) |> int

let private u32 (file: byte[]) offset =
    BinaryPrimitives.ReadUInt32LittleEndian(ReadOnlySpan(file, offset, 4)) |> int

let private u64 (file: byte[]) offset =
    BinaryPrimitives.ReadInt64LittleEndian(ReadOnlySpan(file, offset, 8))
    |> Checked.int

let private tables (file: byte[]) =
    // Section header types of the ELF specification and of GNU's symbol versioning.
    let dynamicSymbols, gnuNeeds, gnuVersions = 11, 0x6ffffffe, 0x6fffffff
    let sections, size, count = u64 file 0x28, u16 file 0x3A, u16 file 0x3C
    let header i = sections + i * size

    let place i =
        struct (u64 file (header i + 0x18), u64 file (header i + 0x20))

    let find kind =
        match Seq.tryFind (fun i -> u32 file (header i + 4) = kind) (seq { 0 .. count - 1 }) with
        | Some i -> i
        | None -> raise (Malformed "it has no versioned dynamic symbols")

    let symbols, needs = find dynamicSymbols, find gnuNeeds
    let struct (versions, _) = place (find gnuVersions)
    let struct (needsAt, _) = place needs

    {
        Symbols = place symbols
        Names = place (u32 file (header symbols + 0x28))
        Versions = versions
        Needs = struct (needsAt, u32 file (header needs + 0x2C))
    }

let private name (file: byte[]) (tables: Tables) (offset: int) =
    let struct (start, size) = tables.Names
    let rest = ReadOnlySpan(file, start + offset, size - offset)
    Encoding.ASCII.GetString(rest.Slice(0, max 0 (rest.IndexOf 0uy)))

/// Offsets of the version entries needed from libstdc++, with their names.
let private runtimeVersions file tables =
    [
        let struct (first, count) = tables.Needs
        let mutable entry = first

        for _ in 1..count do
            let mutable version = entry + u32 file (entry + 8)

            for _ in 1 .. u16 file (entry + 2) do
                if name file tables (u32 file (entry + 4)) = "libstdc++.so.6" then
                    name file tables (u32 file (version + 8)), version

                version <- version + u32 file (version + 12)

            entry <- entry + u32 file (entry + 12)
    ]
    |> Map.ofList

/// Looks at a library's bytes and returns a changed copy when it needs the newer runtime for that one symbol only.
let apply (file: byte[]) : Outcome =
    try
        if
            file.Length < 64
            || not (file.AsSpan(0, 6).SequenceEqual [| 0x7Fuy; 'E'B; 'L'B; 'F'B; 2uy; 1uy |])
        then
            raise (Malformed "it is not a 64-bit little-endian ELF file")

        let tables = tables file
        let needed = runtimeVersions file tables

        match Map.tryFind NewVersion needed, Map.tryFind OldVersion needed with
        | None, _ -> NotNeeded
        | Some _, None -> Unexpected $"it needs {NewVersion} but not {OldVersion}"
        | Some newer, Some older ->
            let struct (symbols, size) = tables.Symbols
            let index = u16 file (newer + 6)

            let users, others =
                [ 0 .. size / 24 - 1 ]
                |> List.partition (fun i -> (u16 file (tables.Versions + 2 * i) &&& 0x7FFF) = index)

            let nameOf i = u32 file (symbols + 24 * i)

            match users |> List.map (fun i -> name file tables (nameOf i)) with
            | [ symbol ] when symbol = NewSymbol ->
                let at = nameOf users.Head
                // A linker may let a name share the tail of a longer one; such a name would change with it.
                let shared =
                    others
                    |> List.exists (fun i -> nameOf i >= at && nameOf i < at + NewSymbol.Length)

                if shared then
                    Unexpected $"another symbol shares the name of {NewSymbol}"
                else
                    let copy = Array.copy file
                    let struct (names, _) = tables.Names
                    Array.Copy(file, older, copy, newer, 4) // hash of the version's name
                    Array.Copy(file, older + 8, copy, newer + 8, 4) // offset of the version's name
                    let symbol = Encoding.ASCII.GetBytes(OldSymbol + "\000")
                    symbol.CopyTo(copy, names + at)
                    Patched copy
            | found ->
                let found = String.Join(", ", found)
                Unexpected $"it needs {NewVersion} for [{found}] instead of for {NewSymbol} alone"
    with
    | Malformed reason -> Unexpected reason
    | :? ArgumentException
    | :? IndexOutOfRangeException
    | :? OverflowException -> Unexpected "its tables point outside the file"
