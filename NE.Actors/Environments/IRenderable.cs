namespace NE.Actors.Environments;

/// <summary>An environment that can be looked at. Used on the environment's own thread, like everything of it.</summary>
public interface IRenderable
{
    /// <summary>Whether this one can really be drawn: a program of one's own may do without.</summary>
    bool Renders => true;

    /// <summary>Seconds of simulated time between two steps, for playback in real time; null when that is not known.</summary>
    double? SecondsPerStep { get; }

    /// <summary>Draws the current state, after a reset or a step.</summary>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="rgb">Gets the picture [height x width x 3], top row first.</param>
    /// <exception cref="Rendering.RendererUnavailableException">This machine cannot draw; the message says what to install.</exception>
    void Render(int width, int height, Span<byte> rgb);
}
