using System.Buffers.Binary;
using System.Text;

namespace NE.Actors.Exports;

/// <summary>The few instructions of Python's pickle protocol 2 that a state_dict needs (Lib/pickletools.py of CPython describes them).</summary>
internal sealed class PickleWriter
{
    private readonly MemoryStream stream = new();

    public PickleWriter() => this.stream.Write([0x80, 2]);

    /// <summary>A class or function of a module.</summary>
    public void Global(string module, string name) => this.stream.Write(Encoding.ASCII.GetBytes($"c{module}\n{name}\n"));

    public void Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        this.stream.WriteByte((byte)'X');
        this.Write(bytes.Length);
        this.stream.Write(bytes);
    }

    public void Number(int number)
    {
        this.stream.WriteByte((byte)'J');
        this.Write(number);
    }

    public void False() => this.stream.WriteByte(0x89);

    public void Tuple(Action content)
    {
        this.stream.WriteByte((byte)'(');
        content();
        this.stream.WriteByte((byte)'t');
    }

    /// <summary>What a function returns for the content as its arguments.</summary>
    public void Call(string module, string name, Action content)
    {
        this.Global(module, name);
        this.Tuple(content);
        this.stream.WriteByte((byte)'R');
    }

    /// <summary>What it returns without arguments.</summary>
    public void EmptyCall(string module, string name)
    {
        this.Global(module, name);
        this.stream.Write(")R"u8);
    }

    /// <summary>Puts keys and values, one after the other, into the dictionary before it.</summary>
    public void Items(Action content)
    {
        this.stream.WriteByte((byte)'(');
        content();
        this.stream.WriteByte((byte)'u');
    }

    /// <summary>Something that is stored elsewhere, by a tuple that says where.</summary>
    public void Stored(Action content)
    {
        this.Tuple(content);
        this.stream.WriteByte((byte)'Q');
    }

    public byte[] Stop()
    {
        this.stream.WriteByte((byte)'.');
        return this.stream.ToArray();
    }

    private void Write(int number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        this.stream.Write(bytes);
    }
}
