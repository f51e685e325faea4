using SkiaSharp;

namespace NE.Actors.Rendering;

/// <summary>Pictures as PNG files. In memory a picture is height x width x 3 bytes, the top row first.</summary>
public static unsafe class PngPicture
{
    /// <summary>Writes a picture; the folder must exist. Throws IOException or UnauthorizedAccessException.</summary>
    public static void Write(string file, int width, int height, ReadOnlySpan<byte> rgb) => File.WriteAllBytes(file, Encode(width, height, rgb));

    /// <summary>A picture as the bytes of a PNG file.</summary>
    public static byte[] Encode(int width, int height, ReadOnlySpan<byte> rgb)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rgb.Length, 3 * width * height);
        using var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        var pixels = new Span<byte>((void*)bitmap.GetPixels(), 4 * width * height);
        for (var i = 0; i < width * height; i++)
        {
            rgb.Slice(3 * i, 3).CopyTo(pixels[(4 * i)..]);
            pixels[4 * i + 3] = byte.MaxValue;
        }

        using var data = bitmap.Encode(SKEncodedImageFormat.Png, quality: 100);
        return data.ToArray();
    }

    /// <summary>Reads a picture of a known size. Throws FileNotFoundException, or InvalidDataException for anything else than a picture of that size.</summary>
    public static byte[] Read(string file, int width, int height)
    {
        using var picture = File.Exists(file)
            ? SKBitmap.Decode(file) ?? throw new InvalidDataException($"{file} is not a picture.")
            : throw new FileNotFoundException($"There is no picture {file}.", file);
        return (picture.Width, picture.Height) == (width, height)
            ? [.. picture.Pixels.SelectMany(pixel => new[] { pixel.Red, pixel.Green, pixel.Blue })]
            : throw new InvalidDataException($"{file} has {picture.Width} x {picture.Height} pixels, expected {width} x {height}.");
    }
}
