//! How JSON has an estimate: as two fields of the object around it, such as `auc` and `aucInterval`,
//! both `null` where it is undefined.
//!
//! Use a module as `#[serde(flatten, with = "estimate_fields::auc")]`.

/// A module for serde's `with` for each metric: the names of its value and of its interval.
macro_rules! estimate_fields {
    ($($metric:ident: $value:literal, $interval:literal;)*) => {$(
        pub(super) mod $metric {
            use serde::{Deserialize, Deserializer, Serialize, Serializer};

            use crate::interval::{Estimate, Interval};

            #[derive(Serialize, Deserialize)]
            struct Fields {
                #[serde(rename = $value)]
                value: Option<f64>,
                #[serde(rename = $interval)]
                interval: Option<Interval>,
            }

            pub(crate) fn serialize<S: Serializer>(
                estimate: &Option<Estimate>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                let fields = Fields {
                    value: estimate.map(|estimate| estimate.value),
                    interval: estimate.and_then(|estimate| estimate.interval),
                };
                fields.serialize(serializer)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<Estimate>, D::Error> {
                let Fields { value, interval } = Fields::deserialize(deserializer)?;
                Ok(value.map(|value| Estimate { value, interval }))
            }
        }
    )*};
}

estimate_fields! {
    accuracy: "accuracy", "accuracyInterval";
    accuracy_difference: "accuracyDifference", "accuracyDifferenceInterval";
    alerts_per_1000: "alertsPer1000", "alertsPer1000Interval";
    auc: "auc", "aucInterval";
    auc_hard: "aucHard", "aucHardInterval";
    flagged_share: "share", "shareInterval";
    intercept: "intercept", "interceptInterval";
    kappa: "kappa", "kappaInterval";
    net_benefit: "netBenefit", "netBenefitInterval";
    npv: "npv", "npvInterval";
    observed_over_expected: "observedOverExpected", "observedOverExpectedInterval";
    positive_auc: "positiveAuc", "positiveAucInterval";
    positive_auc_difference: "positiveAucDifference", "positiveAucDifferenceInterval";
    positive_kappa: "positiveKappa", "positiveKappaInterval";
    ppv: "ppv", "ppvInterval";
    precision: "precision", "precisionInterval";
    quadratic_kappa: "quadraticKappa", "quadraticKappaInterval";
    recall: "recall", "recallInterval";
    right_flagged_share: "rightShare", "rightShareInterval";
    sensitivity: "sensitivity", "sensitivityInterval";
    slope: "slope", "slopeInterval";
    specificity: "specificity", "specificityInterval";
    wrong_flagged_share: "wrongShare", "wrongShareInterval";
}

#[cfg(test)]
mod tests {
    use crate::{BaselineDifference, Estimate, Interval, IntervalMethod, OperatingPoint};

    #[test]
    fn a_value_and_its_interval_are_two_fields_in_the_place_of_one() {
        let interval = Some(Interval {
            low: 0.25,
            high: 0.75,
        });
        let difference = BaselineDifference {
            studies: 4,
            auc: Some(Estimate {
                value: 0.5,
                interval,
            }),
            positive_auc: None,
        };
        let json = r#"{"studies":4,"auc":0.5,"aucInterval":{"low":0.25,"high":0.75},"positiveAuc":null,"positiveAucInterval":null}"#;
        assert_eq!(serde_json::to_string(&difference).unwrap(), json);
        let back: BaselineDifference = serde_json::from_str(json).unwrap();
        assert_eq!(back, difference);
    }

    #[test]
    fn an_estimate_is_found_beside_a_tag_and_among_objects() {
        let values = r#"{"prevalence":0.5,"ppv":1,"ppvInterval":null,"npv":null}"#;
        let json = format!(
            r#"{{"kind":"sensitivity","target":0.9,"threshold":0.5,"truePositives":2,"falseNegatives":0,
            "falsePositives":0,"trueNegatives":1,"sensitivity":1,"sensitivityInterval":null,
            "specificity":1.0,"atCohort":{values},"atStated":{values}}}"#
        );
        let point: OperatingPoint = serde_json::from_str(&json).unwrap();
        let certain = Some(Estimate {
            value: 1.0,
            interval: None,
        });
        assert_eq!((point.sensitivity, point.specificity), (certain, certain));
        assert_eq!((point.at_stated.ppv, point.at_stated.npv), (certain, None));
    }

    #[test]
    fn a_point_of_before_it_told_what_is_expected_of_it_tells_nothing_of_that() {
        let values = r#"{"prevalence":0.5,"ppv":1,"ppvInterval":null,"npv":null}"#;
        let json = format!(
            r#"{{"kind":"youden","threshold":0.5,"truePositives":2,"falseNegatives":0,"falsePositives":0,
            "trueNegatives":1,"sensitivity":1,"specificity":1.0,"atCohort":{values},"atStated":{values}}}"#
        );
        let point: OperatingPoint = serde_json::from_str(&json).unwrap();
        assert_eq!(
            (point.expected_sensitivity, point.expected_specificity),
            (None, None)
        );
        assert_eq!(point.sensitivity_interval_method, IntervalMethod::Wilson);
        assert_eq!(point.alerts_per_1000, None);
        let written = serde_json::to_string(&point).unwrap();
        assert!(
            written.contains(r#""sensitivityIntervalMethod":"wilson","expectedSensitivity":null"#)
        );
        assert!(written.contains(r#""alertsPer1000":null,"alertsPer1000Interval":null"#));
    }
}
