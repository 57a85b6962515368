//! Prints how fast each kernel of the engine is at the shapes of the networks, on one thread.

use std::io::{self, Write};

use attrium_engine::throughput::{convolution, peak};
use attrium_engine::{Isa, Level};

/// Channels before and after, and the images' side, of each kind of convolution that there is.
const SHAPES: [([usize; 2], usize); 8] = [
    ([1, 16], 128),
    ([16, 16], 128),
    ([16, 32], 64),
    ([32, 32], 64),
    ([32, 64], 32),
    ([64, 64], 32),
    ([64, 128], 16),
    ([128, 128], 16),
];

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for level in [Level::Avx512, Level::Avx2] {
        let Some(isa) = Isa::available(level) else {
            continue;
        };
        let peak = peak(isa);
        writeln!(
            out,
            "{level:?}: multiply-adds in registers {:.0} GFLOP/s",
            peak / 1e9
        )?;
        writeln!(
            out,
            "| kernel | channels | size | GFLOP/s as if direct | of its products | share of the peak |"
        )?;
        writeln!(out, "|---|---|---|---|---|---|")?;
        for of in SHAPES
            .into_iter()
            .flat_map(|(channels, size)| convolution(isa, channels, size))
        {
            let [before, after] = of.channels;
            writeln!(
                out,
                "| {} | {before} to {after} | {} | {:.0} | {:.0} | {:.0} % |",
                of.kernel,
                of.size,
                of.direct / 1e9,
                of.products / 1e9,
                100.0 * of.products / peak
            )?;
        }
    }
    Ok(())
}
