using Google.Protobuf;
using Onnx;

namespace NE.Actors.Exports;

/// <summary>A graph of ONNX operators under construction. Results have names of their own.</summary>
internal sealed class OnnxGraph(string name)
{
    /// <summary>The size that a caller chooses.</summary>
    private const string Batch = "batch";

    public GraphProto Graph { get; } = new() { Name = name };

    public static AttributeProto Number(string name, int value) => new() { Name = name, Type = AttributeProto.Types.AttributeType.Int, I = value };

    public static AttributeProto Numbers(string name, IEnumerable<int> values) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Ints, Ints = { values.Select(value => (long)value) } };

    public static AttributeProto Real(string name, float value) => new() { Name = name, Type = AttributeProto.Types.AttributeType.Float, F = value };

    /// <summary>An input [batch, shape].</summary>
    public void Input(string name, TensorProto.Types.DataType type, IReadOnlyList<int> shape) => this.Graph.Input.Add(Value(name, type, shape));

    /// <summary>An output [batch, shape] of floats.</summary>
    public void Output(string name, IReadOnlyList<int> shape) => this.Graph.Output.Add(Value(name, TensorProto.Types.DataType.Float, shape));

    /// <summary>Adds a tensor and returns its name.</summary>
    public string Constant(ExportedTensor tensor)
    {
        this.Graph.Initializer.Add(new TensorProto
        {
            Name = tensor.Name,
            DataType = (int)TensorProto.Types.DataType.Float,
            Dims = { tensor.Shape.Select(size => (long)size) },
            RawData = ByteString.CopyFrom(tensor.Bytes),
        });
        return tensor.Name;
    }

    /// <summary>Adds an operator and returns the name of its result.</summary>
    /// <param name="output">That name; null numbers it.</param>
    public string Node(string operation, IEnumerable<string> inputs, IEnumerable<AttributeProto>? attributes = null, string? output = null)
    {
        var result = output ?? $"{operation.ToLowerInvariant()}_{this.Graph.Node.Count}";
        this.Graph.Node.Add(new NodeProto { Name = result, OpType = operation, Input = { inputs }, Output = { result }, Attribute = { attributes ?? [] } });
        return result;
    }

    private static ValueInfoProto Value(string name, TensorProto.Types.DataType type, IReadOnlyList<int> shape) => new()
    {
        Name = name,
        Type = new TypeProto
        {
            TensorType = new TypeProto.Types.Tensor
            {
                ElemType = (int)type,
                Shape = new TensorShapeProto
                {
                    Dim =
                    {
                        new TensorShapeProto.Types.Dimension { DimParam = Batch },
                        shape.Select(size => new TensorShapeProto.Types.Dimension { DimValue = size }),
                    },
                },
            },
        },
    };
}
