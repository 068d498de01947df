//! Unpacks LZMA (specification of the LZMA SDK 24): the headers of 7-Zip's archives are packed with it.

/// Probabilities are of 11 bits, and move by a part in 32.
const HALF: u16 = 1 << 10;
const MOVE: u32 = 5;
const TOP: u32 = 1 << 24;
/// Kinds of what came before.
const STATES: usize = 12;
const POSITIONS: usize = 16;

/// Exactly so many bytes, which the caller bounds; `None` where the bytes are none of LZMA's or of a form that no
/// header has.
pub fn unpack(properties: &[u8], packed: &[u8], length: usize) -> Option<Vec<u8>> {
    let first = usize::from(*properties.first()?);
    // Bits of the byte before, of a literal's place, and of a copy's place.
    let (context, place, position) = (first % 9, first / 9 % 5, first / 45);
    if position > 4 || context + place > 4 {
        return None;
    }
    Unpacker::new(packed, context, place, position)?.run(length)
}

struct Unpacker<'b> {
    packed: &'b [u8],
    range: u32,
    code: u32,
    context: usize,
    place: usize,
    position: usize,
    literals: Vec<u16>,
    matches: [[u16; POSITIONS]; STATES],
    repeats: [[u16; STATES]; 4],
    short_repeats: [[u16; POSITIONS]; STATES],
    slots: [[u16; 64]; 4],
    specials: [u16; 128],
    aligned: [u16; 16],
    lengths: Lengths,
    repeat_lengths: Lengths,
}

struct Lengths {
    choice: [u16; 2],
    low: [[u16; 8]; POSITIONS],
    middle: [[u16; 8]; POSITIONS],
    high: [u16; 256],
}

impl Lengths {
    const fn new() -> Self {
        Self { choice: [HALF; 2], low: [[HALF; 8]; POSITIONS], middle: [[HALF; 8]; POSITIONS], high: [HALF; 256] }
    }
}

/// Takes bits off the packed bytes, each by its probability.
struct Range<'r, 'b> {
    packed: &'r mut &'b [u8],
    range: &'r mut u32,
    code: &'r mut u32,
}

impl Range<'_, '_> {
    fn normalize(&mut self) -> Option<()> {
        if *self.range < TOP {
            let (&next, rest) = self.packed.split_first()?;
            *self.packed = rest;
            *self.range <<= 8;
            *self.code = *self.code << 8 | u32::from(next);
        }
        Some(())
    }

    fn bit(&mut self, probability: &mut u16) -> Option<usize> {
        self.normalize()?;
        let bound = (*self.range >> 11) * u32::from(*probability);
        if *self.code < bound {
            *self.range = bound;
            *probability += (2048 - *probability) >> MOVE;
            Some(0)
        } else {
            *self.range -= bound;
            *self.code -= bound;
            *probability -= *probability >> MOVE;
            Some(1)
        }
    }

    fn direct(&mut self, count: u32) -> Option<usize> {
        let mut value = 0;
        for _ in 0..count {
            self.normalize()?;
            *self.range >>= 1;
            let bit = usize::from(*self.code >= *self.range);
            if bit == 1 {
                *self.code -= *self.range;
            }
            value = value << 1 | bit;
        }
        Some(value)
    }

    /// A number of so many bits, the high ones first.
    fn tree(&mut self, probabilities: &mut [u16], bits: u32) -> Option<usize> {
        let mut at = 1;
        for _ in 0..bits {
            at = at << 1 | self.bit(probabilities.get_mut(at)?)?;
        }
        Some(at - (1 << bits))
    }

    /// The same, the low ones first.
    fn reverse_tree(&mut self, probabilities: &mut [u16], bits: u32) -> Option<usize> {
        let (mut at, mut value) = (1, 0);
        for place in 0..bits {
            let bit = self.bit(probabilities.get_mut(at)?)?;
            at = at << 1 | bit;
            value |= bit << place;
        }
        Some(value)
    }

    fn length(&mut self, lengths: &mut Lengths, position: usize) -> Option<usize> {
        if self.bit(&mut lengths.choice[0])? == 0 {
            return self.tree(&mut lengths.low[position], 3);
        }
        if self.bit(&mut lengths.choice[1])? == 0 {
            return Some(8 + self.tree(&mut lengths.middle[position], 3)?);
        }
        Some(16 + self.tree(&mut lengths.high, 8)?)
    }
}

impl<'b> Unpacker<'b> {
    fn new(packed: &'b [u8], context: usize, place: usize, position: usize) -> Option<Self> {
        let (start, packed) = packed.split_first_chunk::<5>()?;
        Some(Self {
            packed,
            range: u32::MAX,
            code: u32::from_be_bytes([start[1], start[2], start[3], start[4]]),
            context,
            place,
            position,
            literals: vec![HALF; 0x300 << (context + place)],
            matches: [[HALF; POSITIONS]; STATES],
            repeats: [[HALF; STATES]; 4],
            short_repeats: [[HALF; POSITIONS]; STATES],
            slots: [[HALF; 64]; 4],
            specials: [HALF; 128],
            aligned: [HALF; 16],
            lengths: Lengths::new(),
            repeat_lengths: Lengths::new(),
        })
    }

    fn run(mut self, length: usize) -> Option<Vec<u8>> {
        let mut out: Vec<u8> = Vec::new();
        let mut state = 0;
        // How far back the last four copies reached, less one.
        let mut back = [0_usize; 4];
        while out.len() < length {
            let at = out.len() & ((1 << self.position) - 1);
            let mut range = Range { packed: &mut self.packed, range: &mut self.range, code: &mut self.code };
            if range.bit(&mut self.matches[state][at])? == 0 {
                let last = usize::from(out.last().copied().unwrap_or(0));
                let place = out.len() & ((1 << self.place) - 1);
                let context = (place << self.context) + (last >> (8 - self.context));
                let copied = if state >= 7 { Some(before(&out, back[0])?) } else { None };
                let byte = self.literal_byte(context, copied)?;
                out.push(byte);
                state = match state {
                    0..4 => 0,
                    4..10 => state - 3,
                    _ => state - 6,
                };
                continue;
            }
            let count = if range.bit(&mut self.repeats[0][state])? == 0 {
                let count = range.length(&mut self.lengths, at)?;
                state = if state < 7 { 7 } else { 10 };
                back.rotate_right(1);
                back[0] = self.distance(count)?;
                count
            } else {
                if range.bit(&mut self.repeats[1][state])? == 0 {
                    if range.bit(&mut self.short_repeats[state][at])? == 0 {
                        state = if state < 7 { 9 } else { 11 };
                        out.push(before(&out, back[0])?);
                        continue;
                    }
                } else if range.bit(&mut self.repeats[2][state])? == 0 {
                    back[..2].rotate_right(1);
                } else if range.bit(&mut self.repeats[3][state])? == 0 {
                    back[..3].rotate_right(1);
                } else {
                    back.rotate_right(1);
                }
                state = if state < 7 { 8 } else { 11 };
                range.length(&mut self.repeat_lengths, at)?
            };
            for _ in 0..(count + 2).min(length - out.len()) {
                out.push(before(&out, back[0])?);
            }
        }
        Some(out)
    }

    fn literal_byte(&mut self, context: usize, copied: Option<u8>) -> Option<u8> {
        let mut range = Range { packed: &mut self.packed, range: &mut self.range, code: &mut self.code };
        let probabilities = self.literals.get_mut(0x300 * context..0x300 * (context + 1))?;
        let mut at = 1;
        if let Some(copied) = copied {
            let mut copied = usize::from(copied);
            while at < 0x100 {
                let expected = copied >> 7 & 1;
                copied <<= 1;
                let bit = range.bit(&mut probabilities[((1 + expected) << 8) + at])?;
                at = at << 1 | bit;
                if bit != expected {
                    break;
                }
            }
        }
        while at < 0x100 {
            at = at << 1 | range.bit(&mut probabilities[at])?;
        }
        u8::try_from(at & 0xff).ok()
    }

    /// How far back a copy of this length reaches, less one.
    fn distance(&mut self, count: usize) -> Option<usize> {
        let mut range = Range { packed: &mut self.packed, range: &mut self.range, code: &mut self.code };
        let slot = range.tree(&mut self.slots[count.min(3)], 6)?;
        if slot < 4 {
            return Some(slot);
        }
        let bits = u32::try_from(slot / 2 - 1).ok()?;
        let base = (2 | slot & 1) << bits;
        if slot < 14 {
            // The trees of all slots share one table, each behind the others.
            let from = base.checked_sub(slot)?;
            return Some(base + range.reverse_tree(self.specials.get_mut(from..)?, bits)?);
        }
        let high = range.direct(bits - 4)?;
        Some(base + (high << 4) + range.reverse_tree(&mut self.aligned, 4)?)
    }
}

/// The byte that far back, counted from none.
fn before(out: &[u8], back: usize) -> Option<u8> {
    out.get(out.len().checked_sub(back.checked_add(1)?)?).copied()
}
