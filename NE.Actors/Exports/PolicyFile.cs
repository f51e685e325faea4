using NE.Actors.Storage;

namespace NE.Actors.Exports;

/// <summary>Programs that a policy leaves for.</summary>
public enum PolicyFormat
{
    /// <summary>ONNX: the whole computation, for ONNX Runtime in any language.</summary>
    Onnx,

    /// <summary>safetensors: the numbers alone, easy to read, and what another run can begin with.</summary>
    Safetensors,

    /// <summary>PyTorch: a state_dict.</summary>
    Torch,
}

/// <summary>Files of policies.</summary>
public static class PolicyFile
{
    /// <summary>How the names of such files end.</summary>
    public static string Ending(PolicyFormat format) => format switch
    {
        PolicyFormat.Onnx => ".onnx",
        PolicyFormat.Safetensors => ".safetensors",
        _ => ".pt",
    };

    /// <summary>Writes a policy; the file is complete or absent.</summary>
    /// <param name="path">In a folder that is there.</param>
    /// <param name="overwrite">Replace a file of that name.</param>
    /// <param name="version">Of this program.</param>
    /// <exception cref="IOException">The file could not be written, or its name is taken.</exception>
    public static void Write(string path, bool overwrite, PolicyFormat format, PolicyExport export, string version)
    {
        var bytes = format switch
        {
            PolicyFormat.Onnx => OnnxFile.Bytes(export, version),
            PolicyFormat.Safetensors => SafetensorsFile.Bytes([.. export.Tensors], export.Metadata),
            _ => TorchFile.Bytes([.. export.Tensors], export.Metadata),
        };
        DurableFile.Write(path, overwrite, stream => stream.Write(bytes));
    }
}
