//! Availability as a number, in Lync's bands.

/// How available a person is: the higher the less. Clients compare bands, not values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Availability(pub u16);

/// What a range of availabilities means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Band {
    /// 0 to 4499.
    Available,
    /// 4500 to 5999: available, the devices not used for a while.
    Inactive,
    /// 6000 to 7499.
    Busy,
    /// 7500 to 8999: busy, the devices not used for a while.
    BusyInactive,
    /// 9000 to 11999.
    DoNotDisturb,
    /// 12000 to 14999.
    BeRightBack,
    /// 15000 to 17999.
    Away,
    /// 18000 and above.
    Offline,
}

impl Availability {
    /// Available.
    pub const AVAILABLE: Availability = Availability(3_500);
    /// Available, inactive.
    pub const IDLE: Availability = Availability(5_000);
    /// Busy.
    pub const BUSY: Availability = Availability(6_500);
    /// Busy, inactive.
    pub const BUSY_IDLE: Availability = Availability(7_500);
    /// Do not disturb.
    pub const DO_NOT_DISTURB: Availability = Availability(9_500);
    /// Be right back.
    pub const BE_RIGHT_BACK: Availability = Availability(12_500);
    /// Away.
    pub const AWAY: Availability = Availability(15_500);
    /// Offline.
    pub const OFFLINE: Availability = Availability(18_500);

    /// The band that it lies in.
    pub fn band(self) -> Band {
        match self.0 {
            0..=4_499 => Band::Available,
            4_500..=5_999 => Band::Inactive,
            6_000..=7_499 => Band::Busy,
            7_500..=8_999 => Band::BusyInactive,
            9_000..=11_999 => Band::DoNotDisturb,
            12_000..=14_999 => Band::BeRightBack,
            15_000..=17_999 => Band::Away,
            18_000.. => Band::Offline,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_we_use_lies_in_its_band() {
        let bands = [
            (Availability::AVAILABLE, Band::Available),
            (Availability::IDLE, Band::Inactive),
            (Availability::BUSY, Band::Busy),
            (Availability::BUSY_IDLE, Band::BusyInactive),
            (Availability::DO_NOT_DISTURB, Band::DoNotDisturb),
            (Availability::BE_RIGHT_BACK, Band::BeRightBack),
            (Availability::AWAY, Band::Away),
            (Availability::OFFLINE, Band::Offline),
        ];
        for (availability, band) in bands {
            assert_eq!(availability.band(), band);
        }
        assert_eq!(
            [0, 4_499, 17_999, 18_000].map(|v| Availability(v).band()),
            [Band::Available, Band::Available, Band::Away, Band::Offline]
        );
    }
}
