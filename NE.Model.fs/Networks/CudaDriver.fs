/// What NVIDIA's driver says of a device. TorchSharp knows only how many there are.
module internal NE.Model.Networks.CudaDriver

#nowarn "9" // DllImport of the driver's functions

open System
open System.Runtime.InteropServices
open System.Text

[<Literal>]
let private Library = "libcuda.so.1"

[<DllImport(Library)>]
extern int private cuInit(uint32 flags)

[<DllImport(Library)>]
extern int private cuDeviceGet(int& device, int ordinal)

[<DllImport(Library)>]
extern int private cuDeviceGetName(byte[] name, int length, int device)

/// The name of a device, such as "NVIDIA H100 80GB HBM3"; None where the driver is not there or does not know it. Devices are numbered
/// as libtorch numbers them.
let nameOf (ordinal: int) : string option =
    let name = Array.zeroCreate<byte> 256
    let mutable device = 0

    try
        if
            cuInit 0u = 0
            && cuDeviceGet (&device, ordinal) = 0
            && cuDeviceGetName (name, name.Length, device) = 0
        then
            Some(Encoding.UTF8.GetString(name, 0, Array.IndexOf(name, 0uy)))
        else
            None
    with
    | :? DllNotFoundException
    | :? EntryPointNotFoundException -> None
