/// Finds and loads libtorch, lazily: nothing here runs before an engine (or `ne doctor`) asks for it.
///
/// Where the published wrapper loads as it is, it is left alone. Where the C++ runtime is too old for it, a patched copy
/// (see ElfPatch) is kept under ~/.cache/ne-actors/torchsharp-<hash of the original>/ and loaded first; TorchSharp's own loader then
/// finds it by its name. The original may be a hard link into the package cache, so it is never changed in place.
module NE.Model.Networks.LibTorch

open System
open System.IO
open System.Runtime.InteropServices
open System.Security.Cryptography

/// libtorch could not be loaded; the message says what was looked for and what to do.
exception LibTorchException of message: string with
    override this.Message = this.message

/// What `ne doctor` shows about libtorch.
type Description = {
    /// TorchSharp's version.
    TorchSharpVersion: string
    /// The native wrapper that is loaded.
    WrapperPath: string
    /// Whether that is our patched copy.
    Patched: bool
    /// Folder of libtorch's own files, empty when the system's loader found them.
    LibTorchFolder: string
    /// The CUDA devices that can be used, by name, in libtorch's order.
    CudaDevices: string list
}

[<Literal>]
let private Wrapper = "libLibTorchSharp.so"

[<Literal>]
let private Core = "libtorch_cpu.so"

let private version =
    match typeof<TorchSharp.torch.Tensor>.Assembly.GetName().Version with
    | null -> "unknown"
    | version -> version.ToString 3

/// Folders that may hold native files: beside the program (published, built, or run from a test host), then the package cache.
let private candidates (package: string) =
    let home = Environment.GetFolderPath Environment.SpecialFolder.UserProfile

    let packages =
        match Environment.GetEnvironmentVariable "NUGET_PACKAGES" with
        | null
        | "" -> Path.Combine(home, ".nuget", "packages")
        | folder -> folder

    let cached =
        let folder = Path.Combine(packages, package)

        if Directory.Exists folder then
            Directory.GetDirectories folder |> Array.sortDescending |> List.ofArray
        else
            []

    [
        AppContext.BaseDirectory
        Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native")
        for folder in cached do
            Path.Combine(folder, "runtimes", "linux-x64", "native")
    ]

let private folderWith (file: string) folders =
    folders |> List.tryFind (fun folder -> File.Exists(Path.Combine(folder, file)))

/// libtorch's folder: TORCH_LIB_DIR if given, otherwise beside the program or in the package cache.
let private libTorchFolder () =
    match Environment.GetEnvironmentVariable "TORCH_LIB_DIR" with
    | null
    | "" -> folderWith Core (candidates "libtorch-cpu-linux-x64")
    | folder when File.Exists(Path.Combine(folder, Core)) -> Some folder
    | folder ->
        raise (LibTorchException $"TORCH_LIB_DIR is '{folder}', but there is no {Core} in it. Name the 'lib' folder of a libtorch 2.10.")

/// TorchSharp's native wrapper as published; None when it is not there.
let publishedWrapper () : string option =
    folderWith Wrapper (candidates "torchsharp")
    |> Option.map (fun folder -> Path.Combine(folder, Wrapper))

/// The patched copy of a wrapper in the user's cache, written if it is not there yet. Other processes may do the same at once.
let patchedCopy (cacheRoot: string) (wrapper: string) : string =
    let bytes = File.ReadAllBytes wrapper
    let hash = Convert.ToHexStringLower(SHA256.HashData bytes).Substring(0, 16)
    let folder = Path.Combine(cacheRoot, "ne-actors", $"torchsharp-{hash}")
    let copy = Path.Combine(folder, Wrapper)

    if not (File.Exists copy) then
        match ElfPatch.apply bytes with
        | ElfPatch.Patched patched ->
            let ownerOnly =
                UnixFileMode.UserRead ||| UnixFileMode.UserWrite ||| UnixFileMode.UserExecute

            try
                Directory.CreateDirectory(folder, ownerOnly) |> ignore
                let temporary = $"{copy}.{Environment.ProcessId}.{Guid.NewGuid():N}"
                File.WriteAllBytes(temporary, patched)
                File.SetUnixFileMode(temporary, ownerOnly)
                File.Move(temporary, copy, true)
            with
            | :? IOException
            | :? UnauthorizedAccessException as error ->
                raise (
                    LibTorchException
                        $"The adapted copy of {Wrapper} could not be written to {folder}: {error.Message} Make that folder writable, or name another cache folder with XDG_CACHE_HOME."
                )
        | ElfPatch.NotNeeded ->
            raise (
                LibTorchException
                    $"{wrapper} does not load, although it needs no newer C++ runtime than this system's. Run 'ldd {wrapper}' to see what it misses."
            )
        | ElfPatch.Unexpected reason ->
            raise (
                LibTorchException
                    $"{wrapper} does not load, and it is not the file of TorchSharp 0.107 that could be adapted: {reason}. Restore the packages again, or use a system with GCC 13's C++ runtime or newer."
            )

    copy

let private cacheRoot () =
    match Environment.GetEnvironmentVariable "XDG_CACHE_HOME" with
    | null
    | "" -> Path.Combine(Environment.GetFolderPath Environment.SpecialFolder.UserProfile, ".cache")
    | folder -> folder

let private tryLoad path =
    NativeLibrary.TryLoad(path, ref IntPtr.Zero)

/// Loads libtorch's files by full path, so that the wrapper's own search finds them already there. The CUDA ones exist in a CUDA
/// libtorch only; loading them registers the device.
let private preload folder =
    for file in [ "libc10.so"; Core; "libtorch.so"; "libc10_cuda.so"; "libtorch_cuda.so" ] do
        let path = Path.Combine(folder, file)

        if File.Exists path && not (tryLoad path) then
            raise (LibTorchException $"{path} does not load. Run 'ldd {path}' to see what it misses.")

let private load () =
    if not (OperatingSystem.IsLinux()) then
        Wrapper, false, ""
    else
        match publishedWrapper () with
        | None ->
            let looked = String.Join(", ", candidates "torchsharp")
            raise (LibTorchException $"{Wrapper} was not found in {looked}. Restore the packages with 'dotnet restore'.")
        | Some wrapper ->
            let libTorch = libTorchFolder ()
            // A libtorch elsewhere has to be there before the wrapper asks for it.
            libTorch
            |> Option.filter (fun folder -> Path.Combine(folder, Wrapper) <> wrapper)
            |> Option.iter preload

            if tryLoad wrapper then
                wrapper, false, Option.defaultValue "" libTorch
            else
                match libTorch with
                | None ->
                    raise (
                        LibTorchException
                            $"The engine torch needs libtorch 2.10, and {Core} was found neither beside the program nor in the package cache. Name the 'lib' folder of one with TORCH_LIB_DIR, or reference the package libtorch-cpu-linux-x64 2.10.0; the engine simd needs none (compute.engine=simd)."
                    )
                | Some libTorch ->
                    preload libTorch
                    let copy = patchedCopy (cacheRoot ()) wrapper

                    if not (tryLoad copy) then
                        raise (
                            LibTorchException $"{copy} does not load. Delete its folder and try again; 'ldd {copy}' shows what it misses."
                        )

                    copy, true, libTorch

let private loaded = Lazy<string * bool * string>(load, true)

/// Loads libtorch if that has not happened yet. Thread-safe; raises LibTorchException.
let ensureLoaded () : unit =
    loaded.Force() |> ignore
    // TorchSharp raises TypeInitializationException with a misleading text when its own loading fails.
    try
        TorchSharp.torch.InitializeDeviceType TorchSharp.DeviceType.CPU
    with error ->
        // The first line says it; a trace of many lines follows.
        let reason = error.GetBaseException().Message.Split('\n')[0]
        raise (LibTorchException $"TorchSharp {version} could not start although its library was loaded: {reason}")

/// Whether a CUDA device can be used. Only a libtorch that has a CUDA part is loaded to find out.
let hasCuda () : bool =
    let folders =
        match Environment.GetEnvironmentVariable "TORCH_LIB_DIR" with
        | null
        | "" -> candidates "libtorch-cpu-linux-x64"
        | folder -> [ folder ]

    match folderWith "libtorch_cuda.so" folders with
    | None -> false
    | Some _ ->
        ensureLoaded ()
        TorchSharp.torch.cuda.is_available ()

/// The CUDA devices that libtorch can use, by name. Loads libtorch.
let cudaDevices () : string list =
    ensureLoaded ()

    if TorchSharp.torch.cuda.is_available () then
        List.init (TorchSharp.torch.cuda.device_count ()) (fun n -> CudaDriver.nameOf n |> Option.defaultValue "a device without a name")
    else
        []

/// Loads libtorch and says what was loaded.
let describe () : Description =
    ensureLoaded ()
    let wrapper, patched, folder = loaded.Value

    {
        TorchSharpVersion = version
        WrapperPath = wrapper
        Patched = patched
        LibTorchFolder = folder
        CudaDevices = cudaDevices ()
    }
